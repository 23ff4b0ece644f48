// The programs of a run: started without the settings of whoever runs this, ended with it.

import { spawn } from 'node:child_process';
import fs from 'node:fs';

import { within } from './ports.mjs';

const END_SECONDS = 10;
/** What a program needs from around it; proxies, tokens and settings of ours are not part of it. */
const KEPT = ['PATH', 'LANG', 'LD_LIBRARY_PATH', 'SYSTEMROOT'];

const running = new Set();

/** Starts a program; what it says on stderr (and, without `talks`, on stdout) goes to `log`. */
export function start(name, program, args, { cwd, log, env = {}, talks = false }) {
  const kept = KEPT.filter((key) => process.env[key] !== undefined);
  const out = fs.openSync(log, 'a');
  const child = spawn(program, args, {
    cwd,
    env: { ...Object.fromEntries(kept.map((key) => [key, process.env[key]])), HOME: cwd, ...env },
    stdio: talks ? ['pipe', 'pipe', out] : ['ignore', out, out],
    // A group of its own: what it started ends with it.
    detached: true,
  });
  fs.closeSync(out);
  return new Running(name, child);
}

class Running {
  constructor(name, child) {
    this.name = name;
    this.child = child;
    this.ended = new Promise((resolve) => {
      child.once('error', (error) => resolve(`${name} could not be started: ${error.message}`));
      child.once('exit', (code, signal) => resolve(`${name} ended (${signal ?? code})`));
    });
    this.end = undefined;
    this.ended.then((end) => {
      this.end = end;
      running.delete(this);
    });
    running.add(this);
  }

  stillRuns() {
    if (this.end) throw new Error(this.end);
  }

  /** Ends it as a service manager would; how it ended. */
  async stop() {
    if (!this.end) this.#signal('SIGTERM');
    return within(END_SECONDS, `the end of ${this.name}`, this.ended);
  }

  kill() {
    this.#signal('SIGKILL');
  }

  #signal(name) {
    try {
      process.kill(-this.child.pid, name);
    } catch {
      // It has just ended by itself.
    }
  }
}

/** For the end of this program, whichever way it comes. */
export function killAll() {
  for (const one of running) one.kill();
}
