// Follows the orders of all shops into a journal of its own, without a gap and without a repeat.
//
//   node follow-orders.js --token-file data/admin.token --journal orders.jsonl
//
// It can be stopped and killed at any time, and so can the server: the next start goes on where the
// journal ends.
'use strict';

const { parseArgs } = require('node:util');
const { setTimeout: sleep } = require('node:timers/promises');
const { Journal } = require('./journal');
const { Server, detailsOf, explain, status } = require('./poller');

const { values } = parseArgs({
  options: {
    server: { type: 'string' }, 'token-file': { type: 'string' }, ca: { type: 'string' },
    journal: { type: 'string' },
  },
});

const TYPES = ['ORDER_FOUND', 'DELIVERY_SUCCEEDED', 'DELIVERY_SUPERSEDED', 'DELIVERY_WITHDRAWN', 'DELIVERY_DEAD',
  'DELIVERY_DISCARDED'].map((name) => `EVENT_TYPE_${name}`);
// To repeat these calls changes nothing: somebody has to look.
const GIVE_UP = ['UNAUTHENTICATED', 'PERMISSION_DENIED', 'INVALID_ARGUMENT', 'NOT_FOUND', 'UNIMPLEMENTED']
  .map((name) => status[name]);

// Until the stream ends, which it does with an error, always.
async function followOnce(server, journal, alive) {
  const request = { logId: journal.place.logId, afterSequence: journal.place.sequence, types: TYPES };
  // No deadline: keepalive notices a server that is gone. The loop asks for the next message when it
  // has stored this one, so that a journal that is slow holds back the server and not our memory.
  for await (const { event, heartbeat } of server.logs.streamSyncEvents(request, server.metadata())) {
    const { logId, sequence } = event ?? heartbeat;
    if (event) {
      const type = event.type.replace('EVENT_TYPE_', '');
      journal.write({ logId, sequence, type, connectionId: event.connectionId, order: event.orderName });
    } else {
      journal.write({ logId, sequence });
    }
    alive();
  }
}

// Events were missed for good: take the orders as they are, and follow from the end of the log. The
// end first, the orders afterwards: what happens in between is seen twice, which does no harm.
async function recover(error, server, journal) {
  const { metadata } = detailsOf(error);
  const orders = [];
  for await (const order of server.all(server.orders, 'listOrders', 'orders')) {
    orders.push({ connectionId: order.connectionId, order: order.name, status: order.status });
  }
  journal.write({ logId: metadata.log_id, sequence: metadata.newest_sequence, startAgainWith: orders });
}

async function main() {
  const server = new Server({ address: values.server, tokenFile: values['token-file'], caFile: values.ca });
  const journal = new Journal(values.journal);
  let failures = 0;
  const step = async () => {
    try {
      await followOnce(server, journal, () => { failures = 0; });
    } catch (error) {
      if (error.code !== status.OUT_OF_RANGE) throw error;
      console.error(explain(error));
      await recover(error, server, journal);
    }
  };
  for (;;) {
    try {
      await step();
    } catch (error) {
      if (!error.metadata) throw error; // not an error of a call
      console.error(explain(error));
      if (GIVE_UP.includes(error.code)) process.exit(1);
      failures += 1;
      await sleep(Math.min(30_000, 500 * 2 ** Math.min(failures, 6)) * (0.5 + Math.random() / 2));
    }
  }
}

main();
