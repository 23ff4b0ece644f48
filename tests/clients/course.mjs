// The course that each client runs: sign in, list, call, refresh twice, recover from a revoked
// sign-in. What it did is read off the wire; a step that does not show is a failure.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { Pupil } from './pupil.mjs';
import { until } from './ports.mjs';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
/** The page that is read; Gatehouse serves its own manual. */
export const PAGE = 'index.md';
const PAGE_TITLE = fs.readFileSync(path.join(ROOT, 'docs', PAGE), 'utf8').split('\n')[0];
const EXPIRY_SECONDS = 15;

/** Runs the course; what it showed, for the table. */
export async function run({ client, way, house, person, documents, folder }) {
  const course = new Course({ client, way, house, person, documents });
  const metadata = await house.metadata();
  assert.equal(way === 'dcr' || metadata.client_id_metadata_document_supported, true,
    'the server advertises client_id_metadata_document_supported');
  course.pupil = await Pupil.start({ client, house, person, folder,
    document: way === 'cimd' ? documents.urlOf(client.name) : undefined });
  try {
    await course.signIn();
    await course.list();
    await course.call();
    await course.refresh();
    await course.refresh();
    await course.recover();
    await course.pupil.ends();
    return course.record();
  } finally {
    await course.pupil.close();
  }
}

class Course {
  constructor(parts) {
    Object.assign(this, parts);
    this.wire = parts.house.wire;
    this.shown = {};
    this.refreshes = [];
  }

  async #does(step) {
    const told = await this.pupil.does(step);
    this.toldAt = Date.now();
    return told;
  }

  /** From nothing but the address to a connection, with one visit of the browser. */
  async signIn() {
    const connected = await this.#does('connect');
    this.version = connected.version;
    assert.match(this.version, /^\d+\.\d+\.\d+/, 'the version of the installed package');
    this.#signedInOnce(0);
    this.#introducedItself();
  }

  #introducedItself() {
    const registrations = this.wire.registrations();
    if (this.way === 'cimd') {
      assert.equal(this.session.clientId, this.documents.urlOf(this.client.name));
      assert.equal(registrations.length, 0, 'with a document nobody registers');
      assert.ok(this.documents.fetchesOf(this.client.name) > 0, 'the document was read');
    } else {
      assert.ok(registrations.map(({ clientId }) => clientId).includes(this.session.clientId),
        'it uses the identifier that it was registered with');
    }
  }

  /** Since `mark` there was exactly one visit of the browser, and it ended with tokens. */
  #signedInOnce(mark) {
    const visits = mark === 0 ? 1 : 2;
    assert.equal(this.person.finished, visits, 'sign-ins in the browser');
    const exchanges = this.wire.tokenRequests('authorization_code', mark);
    assert.equal(exchanges.length, 1, 'code exchanges');
    const [session] = exchanges;
    assert.equal(session.status, 200);
    assert.ok(session.hasVerifier, 'the code came with its PKCE verifier');
    assert.equal(session.resource, this.house.mcp, 'the token is asked for this resource');
    assert.ok(session.refreshToken, 'a refresh token was issued');
    this.session = session;
  }

  async list() {
    const mark = this.wire.mark();
    const { tools } = await this.#does('list');
    // A client may have asked when it connected and remember.
    const listed = [...this.wire.calls('tools/list', mark), ...this.wire.calls('tools/list')];
    const answered = listed.find(({ status }) => status === 200);
    assert.ok(answered, 'the tools were asked for on the wire');
    assert.deepEqual([...tools].sort(), answered.answer.result.tools.map(({ name }) => name).sort(),
      'the client lists what the server answered');
    assert.ok(tools.includes('read_page'));
    this.shown.tools = tools.length;
  }

  /** Calls a tool; the answer is the page as it lies in docs/. */
  async call() {
    const mark = this.wire.mark();
    const { text } = await this.#does('call');
    assert.ok(text.includes(PAGE_TITLE), `the answer has the page's title, ${PAGE_TITLE}`);
    const calls = this.wire.calls('tools/call', mark);
    const last = calls.at(-1);
    assert.equal(last.status, 200);
    assert.equal(last.answer.result.isError ?? false, false);
    this.shown.revision = last.revision;
    return last;
  }

  /** Once the access token is dead, the next call renews it, and nobody has to sign in. */
  async refresh() {
    await this.#expiry();
    const [mark, before] = [this.wire.mark(), this.session];
    const visits = this.person.asked;
    const answered = await this.call();
    assert.equal(this.person.asked, visits, 'a refresh needs no browser');
    this.#follow();
    assert.ok(this.session.refreshToken !== before.refreshToken, 'it refreshed');
    assert.ok(answered.accessToken === this.session.accessToken, 'with the new access token');
    const refused = this.wire.refusals(before.accessToken, mark);
    this.refreshes.push(refused > 0 ? 'refused' : 'expired');
  }

  /** Follows the tokens to the ones that are live now. Some clients refresh before every call when
   * tokens are short-lived; whenever they do, each token is used once and gives another. */
  #follow() {
    const renewals = this.wire.tokenRequests('refresh_token', this.session.mark);
    for (const renewal of renewals.filter(({ mark }) => mark > this.session.mark)) {
      assert.equal(renewal.status, 200, `refresh: ${renewal.error}`);
      assert.ok(renewal.presented === this.session.refreshToken, 'it presents what it got last');
      assert.ok(renewal.refreshToken !== renewal.presented, 'the refresh token rotated');
      assert.ok(renewal.accessToken !== this.session.accessToken, 'the access token is another');
      this.session = { ...renewal, clientId: this.session.clientId };
    }
  }

  /**
   * By the client's clock and by the server's. A client believes `expires_in` from the moment the
   * answer reached it, which was at the latest when it told what the step showed; the server's time
   * began before that.
   */
  async #expiry() {
    this.#follow();
    const received = Math.max(this.session.at, this.toldAt);
    const believed = received + this.session.expiresIn * 1000;
    await until(EXPIRY_SECONDS, 'the access token expires', async () =>
      Date.now() > believed && await this.house.admits(this.session.accessToken) === 401);
  }

  /** Somebody ends the sign-in; the next call notices and leads through the browser. */
  async recover() {
    this.#follow();
    const ended = this.session;
    assert.equal(await this.house.admits(ended.accessToken), 405, 'until now it was admitted');
    await this.house.revoke(ended.clientId, ended.refreshToken);
    assert.equal(await this.house.admits(ended.accessToken), 401, 'the access token is dead');
    const mark = this.wire.mark();
    const answered = await this.call();
    this.#signedInOnce(mark);
    this.#follow();
    assert.ok(answered.accessToken === this.session.accessToken, 'with the new access token');
    const tried = this.wire.tokenRequests('refresh_token', mark)
      .filter(({ presented }) => presented === ended.refreshToken);
    assert.ok(tried.every(({ error }) => error === 'invalid_grant'), 'the session is over');
    this.shown.recovery = tried.length > 0
      ? 'tries to refresh, then signs in again' : 'signs in again';
  }

  record() {
    const [first, second] = this.refreshes;
    assert.equal(first, second, 'both refreshes went the same way');
    return {
      client: this.client.name, title: this.client.title, version: this.version,
      registration: this.way, ...this.shown, refresh: first,
      ...this.pupil.remarks,
    };
  }
}
