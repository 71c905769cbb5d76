// What every client of the poller needs: stubs, a token, and errors that a program can read.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');
const protobuf = require('protobufjs');

const PROTOS = process.env.POLLER_PROTOS || path.join(__dirname, '../../../proto');
const DEADLINE = 10_000; // milliseconds, for calls that answer once

const api = grpc.loadPackageDefinition(
  loader.loadSync(
    ['connection_service', 'order_service', 'sync_log_service'].map((name) => `odoopoller/v1/${name}.proto`),
    // 64-bit numbers as texts: JavaScript's own lose digits.
    { includeDirs: [PROTOS], longs: String, enums: String, defaults: true, oneofs: true },
  ),
).odoopoller.v1;

const details = new protobuf.Root();
details.resolvePath = (_, target) => path.join(PROTOS, target);
details.loadSync(['google/rpc/status.proto', 'google/rpc/error_details.proto']);

// The server as one object: `server.call(server.orders, 'listOrders', {...})`.
class Server {
  constructor({ address = '127.0.0.1:50051', tokenFile, caFile }) {
    this.tokenFile = tokenFile;
    const credentials = caFile
      ? grpc.credentials.createSsl(fs.readFileSync(caFile))
      : grpc.credentials.createInsecure();
    // A quiet stream may last for days. The pings find out that the other side has gone, and keep
    // the boxes in between from forgetting the connection. The server allows one every 10 seconds.
    const options = {
      'grpc.keepalive_time_ms': 30_000,
      'grpc.keepalive_timeout_ms': 20_000,
      'grpc.max_receive_message_length': 16 << 20,
    };
    this.connections = new api.ConnectionService(address, credentials, options);
    this.orders = new api.OrderService(address, credentials, options);
    this.logs = new api.SyncLogService(address, credentials, options);
  }

  // Read for each call, so that a token that was replaced is taken without a restart.
  metadata() {
    const metadata = new grpc.Metadata();
    metadata.set('authorization', `Bearer ${fs.readFileSync(this.tokenFile, 'utf8').trim()}`);
    return metadata;
  }

  call(stub, method, request) {
    return new Promise((resolve, reject) => {
      const options = { deadline: Date.now() + DEADLINE };
      stub[method](request, this.metadata(), options, (error, answer) => (error ? reject(error) : resolve(answer)));
    });
  }

  // All entries of a list, page after page; the token of the next page is empty at the end.
  async *all(stub, method, field) {
    let pageToken = '';
    do {
      const answer = await this.call(stub, method, { pageSize: 500, pageToken });
      yield* answer[field];
      pageToken = answer.nextPageToken;
    } while (pageToken);
  }

  close() {
    for (const stub of [this.connections, this.orders, this.logs]) stub.close();
  }
}

// The ErrorInfo and the wrong fields ([{field, description}]) that came with an error.
function detailsOf(error) {
  const found = { reason: '', metadata: {}, fields: [] };
  for (const bytes of error.metadata?.get('grpc-status-details-bin') ?? []) {
    for (const any of details.lookupType('google.rpc.Status').decode(bytes).details) {
      const type = details.lookupType(any.type_url.slice(any.type_url.lastIndexOf('/') + 1));
      const detail = type.decode(any.value);
      if (type.name === 'ErrorInfo') Object.assign(found, { reason: detail.reason, metadata: detail.metadata });
      if (type.name === 'BadRequest') found.fields = detail.fieldViolations;
    }
  }
  return found;
}

// An error in a few lines: "ALREADY_EXISTS NAME_TAKEN: text", then the fields.
function explain(error) {
  const { reason, fields } = detailsOf(error);
  const lines = [`${grpc.status[error.code]} ${reason}: ${error.details}`];
  for (const { field, description } of fields) lines.push(`  ${field}: ${description}`);
  return lines.join('\n');
}

module.exports = { Server, detailsOf, explain, status: grpc.status };
