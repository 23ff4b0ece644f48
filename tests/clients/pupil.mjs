// A client under test: a program around a library that does one step for each line it reads, and
// says in one line of JSON what it saw. When it opens a browser, the doorbell rings.

import http from 'node:http';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { closed, listening, within } from './ports.mjs';
import { start } from './processes.mjs';
import { all } from './wire.mjs';

const STEP_SECONDS = 60;
const BROWSER = fileURLToPath(new URL('open-browser.mjs', import.meta.url));

export class Pupil {
  static async start({ client, house, person, folder, document }) {
    const pupil = new Pupil(client.name, person);
    const [program, ...args] = client.command;
    pupil.running = start(client.name, program, args, {
      cwd: folder,
      log: path.join(folder, 'client.log'),
      talks: true,
      env: {
        BROWSER,
        CLIENTS_DOORBELL: await pupil.#hangDoorbell(),
        CLIENTS_MCP_URL: house.mcp,
        PYTHONDONTWRITEBYTECODE: '1',
        ...(document ? { CLIENTS_DOCUMENT: document } : {}),
      },
    });
    pupil.lines = createInterface({ input: pupil.running.child.stdout })[Symbol.asyncIterator]();
    return pupil;
  }

  constructor(name, person) {
    this.name = name;
    this.person = person;
    /** What the client says about itself that the table should tell. */
    this.remarks = {};
  }

  /** Has the client do `step`; what it saw. */
  async does(step) {
    this.running.child.stdin.write(`${step}\n`);
    const failed = new Promise((_, reject) => { this.#onFailure = reject; });
    const answer = await within(STEP_SECONDS, `${this.name}: ${step}`,
      Promise.race([this.lines.next(), failed]));
    if (answer.done) throw new Error(`${await this.running.ended} during ${step}`);
    const told = JSON.parse(answer.value);
    if (told.did !== step) throw new Error(`asked for ${step}, it told of ${told.did}`);
    // The browser may still be on its way home when the client has its tokens.
    await within(STEP_SECONDS, `${this.name}: the browser`, this.visit);
    if (told.remark) this.remarks.remark = told.remark;
    return told;
  }

  /** Has it end by itself. */
  async ends() {
    this.running.child.stdin.end();
    const end = await within(STEP_SECONDS, `${this.name}: the end`, this.running.ended);
    if (!end.endsWith('(0)')) throw new Error(end);
  }

  async close() {
    this.running.kill();
    await closed(this.doorbell);
  }

  visit = Promise.resolve();

  #onFailure = () => {};

  async #hangDoorbell() {
    this.doorbell = http.createServer(async (request, response) => {
      const address = (await all(request)).toString();
      this.visit = this.person.signsIn(address);
      this.visit.catch((error) => this.#onFailure(error));
      response.end();
    });
    return `http://127.0.0.1:${await listening(this.doorbell)}`;
  }
}
