// Appends through Emmett: each client fills streams of some events, each event at its expected version, each awaited. Prints one JSON
// line.
//
// node emmett.mjs <database url> <clients> <seconds> <events of a stream> <bytes of a payload>
import { randomUUID } from 'node:crypto';
import { getPostgreSQLEventStore } from '@event-driven-io/emmett-postgresql';
import pg from 'pg';

const [url, clients, seconds, length, bytes] = process.argv.slice(2).map((word, at) => (at ? Number(word) : word));
const pool = new pg.Pool({ connectionString: url, max: clients });
const store = getPostgreSQLEventStore(url, { connectionOptions: { pool } });
await store.schema.migrate();
const event = { type: 'Authored', data: { data: 'x'.repeat(bytes) } };
const taken = [];
const begun = performance.now();

async function fill() {
  while (performance.now() - begun < seconds * 1000) {
    const stream = `payment_session-${randomUUID()}`;
    for (let version = 0; version < length; version += 1) {
      const expectedStreamVersion = version === 0 ? 'STREAM_DOES_NOT_EXIST' : BigInt(version);
      const asked = performance.now();
      await store.appendToStream(stream, [event], { expectedStreamVersion });
      taken.push(Math.round((performance.now() - asked) * 1000));
    }
  }
}

await Promise.all(Array.from({ length: clients }, fill));
const spent = (performance.now() - begun) / 1000;
taken.sort((one, other) => one - other);
const at = (permille) => taken[Math.floor(((taken.length - 1) * permille) / 1000)];
console.log(JSON.stringify({ events: taken.length, seconds: spent, p50_us: at(500), p99_us: at(990), p999_us: at(999) }));
await store.close();
await pool.end();
