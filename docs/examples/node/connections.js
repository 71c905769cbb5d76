// Lists the connections, or adds one.
//
//   node connections.js list --token-file data/admin.token
//   node connections.js add  --token-file data/admin.token --name shop1 --url https://shop1.odoo.com ...
'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const { parseArgs } = require('node:util');
const { Server, explain } = require('./poller');

const text = { type: 'string', default: '' };
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    server: { type: 'string' }, 'token-file': { type: 'string' }, ca: { type: 'string' },
    name: text, url: text, database: text, username: text, 'api-key-file': text,
    'webhook-url': text, 'webhook-secret-file': text,
  },
});

const secret = (file) => (file ? fs.readFileSync(file, 'utf8').trim() : '');
const show = ({ id, name, odoo }) => console.log(id, name, odoo.url);

async function add(server) {
  const answer = await server.call(server.connections, 'createConnection', {
    // With a request id the call can be repeated without making a second connection.
    requestId: crypto.randomUUID(),
    connection: {
      name: values.name,
      odoo: {
        url: values.url, database: values.database, username: values.username,
        apiKey: secret(values['api-key-file']),
      },
      webhook: { url: values['webhook-url'], secret: secret(values['webhook-secret-file']) },
    },
  });
  show(answer.connection);
}

async function main() {
  const server = new Server({ address: values.server, tokenFile: values['token-file'], caFile: values.ca });
  try {
    if (positionals[0] === 'add') await add(server);
    else for await (const connection of server.all(server.connections, 'listConnections', 'connections')) show(connection);
  } catch (error) {
    if (error.code === undefined || !error.metadata) throw error;
    console.error(explain(error));
    process.exitCode = 1;
  } finally {
    server.close();
  }
}

main();
