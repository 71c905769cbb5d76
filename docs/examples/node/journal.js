// What this service makes of the events, and its place in the stream, in one file of lines. A line
// holds both, so that neither can be there without the other: a crash leaves a whole line or none.
'use strict';

const fs = require('node:fs');

class Journal {
  constructor(file) {
    const text = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    const last = whole.trimEnd().split('\n').pop();
    // At first from the oldest event that is kept.
    const { logId = '', sequence = '0' } = last ? JSON.parse(last) : {};
    this.place = { logId, sequence };
    this.fd = fs.openSync(file, 'a');
    fs.ftruncateSync(this.fd, Buffer.byteLength(whole)); // the half of a line that a crash left
  }

  // With nothing but a place: nothing happened that concerns us, up to there.
  write({ logId, sequence, ...effect }) {
    const known = logId === this.place.logId && sequence === this.place.sequence;
    if (known && Object.keys(effect).length === 0) return;
    fs.writeSync(this.fd, `${JSON.stringify({ logId, sequence, ...effect })}\n`);
    fs.fsyncSync(this.fd);
    this.place = { logId, sequence };
  }
}

module.exports = { Journal };
