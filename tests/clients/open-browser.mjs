#!/usr/bin/env node
// $BROWSER of the clients under test: hands the address to the person of the run.

const answer = await fetch(process.env.CLIENTS_DOORBELL, { method: 'POST', body: process.argv[2] });
if (!answer.ok) throw new Error(`the door answered ${answer.status}`);
