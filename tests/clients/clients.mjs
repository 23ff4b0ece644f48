// Who is run: the programs around the libraries, and how each may introduce itself.

import path from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = path.dirname(fileURLToPath(import.meta.url));

/** A program of ours in `programs/`; it does nothing but what the library's manual says. */
const program = (file) => path.join(HERE, 'programs', file);

/** `tools` are the programs that the set-up made: the Python of the venv, the rmcp client. */
export function clients(tools) {
  const node = (file) => [process.execPath, program(file)];
  const python = (file) => [tools.python, program(file)];
  const both = ['dcr', 'cimd'];
  return [
    { name: 'sdk', title: 'npm `@modelcontextprotocol/sdk`', command: node('sdk_v1.mjs'),
      ways: both },
    { name: 'client', title: 'npm `@modelcontextprotocol/client`', command: node('client_v2.mjs'),
      ways: both },
    { name: 'mcp', title: 'PyPI `mcp`', command: python('mcp_python.py'), ways: both },
    { name: 'fastmcp', title: 'PyPI `fastmcp`', command: python('fastmcp_client.py'), ways: both },
    { name: 'rmcp', title: 'crate `rmcp`', command: [tools.rmcp], ways: both },
    { name: 'mcp-remote', title: 'npm `mcp-remote`', command: node('mcp_remote.mjs'), ways: both },
    { name: 'oauth4webapi', title: 'npm `oauth4webapi`', command: node('oauth4webapi.mjs'),
      ways: both },
  ];
}
