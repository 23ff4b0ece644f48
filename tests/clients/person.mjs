// A person with a browser: opens what a client asks to open, reads, allows, signs in.

import { chromium } from 'playwright-core';

import { listens, until } from './ports.mjs';

const SECONDS = 30;

const FLAGS = [
  '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
  // Whatever the browser would like to look up: this machine is all there is.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
];

export function openBrowser(program) {
  return chromium.launch({ executablePath: program, headless: true, args: FLAGS });
}

/** Somebody with an empty browser and an address of their own. */
export async function arrives(browser, name) {
  const context = await browser.newContext();
  context.setDefaultTimeout(SECONDS * 1000);
  return new Person(context, `${name}@example.com`);
}

class Person {
  constructor(context, email) {
    this.context = context;
    this.email = email;
    /** How many sign-ins a client asked for, and how many came back to it. */
    this.asked = 0;
    this.finished = 0;
  }

  /** From the authorization URL back to the client's own address. */
  async signsIn(address) {
    this.asked += 1;
    const page = await this.context.newPage();
    const house = new URL(address).origin;
    const redirect = new URL(new URL(address).searchParams.get('redirect_uri'));
    try {
      await page.goto(address);
      await page.getByRole('heading', { name: /^Allow “.+” to use the .+ documentation\?$/ })
        .waitFor();
      // What is read before anybody agrees: where the approval goes.
      await page.locator('dd', { hasText: redirect.origin }).first().waitFor();
      await page.getByRole('button', { name: /^Allow/ }).click();
      await page.getByLabel('E-mail address').fill(this.email);
      // Some clients begin to listen when they have sent the browser off; people type slower.
      await until(SECONDS, `${redirect.origin} listens`, () => listens(redirect));
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.waitForURL((url) => url.origin !== house);
      const end = new URL(page.url());
      if (end.origin !== redirect.origin) throw new Error(`the browser ended at ${end.origin}`);
      this.finished += 1;
    } catch (error) {
      const shown = await page.locator('body').innerText({ timeout: 1000 }).catch(() => '');
      throw new Error(`the person could not sign in: ${error.message}\nThe page:\n${shown}`);
    } finally {
      await page.close();
    }
  }

  async leaves() {
    await this.context.close();
  }
}
