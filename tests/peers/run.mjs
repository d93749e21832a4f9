// Runs each peer beside `hilt bench append` on one PostgreSQL, in rounds, and prints one JSON line for each with its median, and how
// many times as fast the log is.
//
//   --clients N    appending at the same time (128)
//   --seconds N    of one turn of a peer (10)
//   --events N     of one turn of the log (500000)
//   --stream N     events of a stream (10)
//   --present N    rows that are there before (0); of those that can: hilt, message-db and the one-row INSERTs
//   --rounds N     turns of each; the median counts (3)
//   --only NAMES   of hilt, message-db, message-db-one, insert, postgres-es, emmett
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';

const HERE = import.meta.dirname;
const ADMIN_URL = process.env.HILT_ADMIN_DATABASE_URL ?? process.env.HILT_TEST_ADMIN_URL;
const DATABASE = 'hilt_peer';
const BYTES = 500;

const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '128' },
    seconds: { type: 'string', default: '10' },
    events: { type: 'string', default: '500000' },
    stream: { type: 'string', default: '10' },
    present: { type: 'string', default: '0' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string', default: 'hilt,message-db,message-db-one,insert,postgres-es,emmett' },
  },
});
const [clients, seconds, events, stream, present, rounds] = ['clients', 'seconds', 'events', 'stream', 'present', 'rounds'].map((name) => {
  const number = Number(values[name]);
  if (!Number.isSafeInteger(number) || number < 0) throw new Error(`--${name} is a number`);
  return number;
});

function run(program, args, options = {}) {
  const ended = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 28, ...options });
  if (ended.error) throw ended.error;
  if (ended.status !== 0) throw new Error(`${program} ended with ${ended.status}: ${ended.stderr}${ended.stdout}`);
  return ended.stdout;
}

const lastLine = (text) => JSON.parse(text.trim().split('\n').at(-1));

function databaseUrl(name) {
  const url = new URL(ADMIN_URL);
  url.pathname = `/${name}`;
  return url.href;
}

// What psql and pgbench know a server by.
function environment() {
  const url = new URL(ADMIN_URL);
  return {
    ...process.env,
    PGHOST: url.hostname,
    PGPORT: url.port || '5432',
    PGUSER: decodeURIComponent(url.username),
    PGPASSWORD: decodeURIComponent(url.password),
    PGOPTIONS: '-c client_min_messages=warning -c search_path=message_store,public',
  };
}

async function sql(database, text) {
  const client = new pg.Client({ connectionString: databaseUrl(database) });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}

// A transaction appends one event; each client fills one stream after another.
const SCRIPT_HEAD = `\\set v :v + 1
\\if :v >= ${stream}
\\set v 0
\\set s random(1, 9000000000000000000)
\\endif
\\set e :v - 1
`;

// pgbench has written a line for each transaction: client, number, microseconds, …
function pgbench(script) {
  const folder = mkdtempSync(join(tmpdir(), 'hilt-peer-'));
  try {
    writeFileSync(join(folder, 'script.sql'), SCRIPT_HEAD + script);
    const args = ['-n', '-M', 'prepared', '-c', clients, '-j', 2, '-T', seconds, '-D', `v=${stream}`, '-D', 's=0', '-l', '-f', 'script.sql', DATABASE];
    run('pgbench', args.map(String), { env: environment(), cwd: folder });
    const logs = readdirSync(folder).filter((name) => name.startsWith('pgbench_log.'));
    const taken = [];
    for (const log of logs) {
      for (const line of readFileSync(join(folder, log), 'utf8').split('\n')) {
        if (line) taken.push(Number(line.split(' ')[2]));
      }
    }
    taken.sort((one, other) => one - other);
    const at = (permille) => taken[Math.floor(((taken.length - 1) * permille) / 1000)];
    return { events: taken.length, seconds, p50_us: at(500), p99_us: at(990), p999_us: at(999) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function messageDb(category) {
  const install = join(HERE, 'node_modules/@eventide/message-db/database/install.sh');
  run('bash', [install], { env: { ...environment(), DATABASE_NAME: DATABASE, CREATE_DATABASE: 'off' } });
  const data = JSON.stringify({ data: 'x'.repeat(BYTES) });
  if (present > 0) {
    await sql(DATABASE, `INSERT INTO message_store.messages (id, stream_name, type, position, data)
      SELECT gen_random_uuid(), 'c' || n % 128 || '-' || (random() * 9e18)::bigint, 'Authored', 0, '${data}' FROM generate_series(1, ${present}) n`);
    await sql(DATABASE, 'VACUUM ANALYZE message_store.messages');
  }
  return pgbench(`SELECT message_store.write_message(gen_random_uuid()::varchar, (${category} || '-' || :s)::varchar, 'Authored'::varchar, '${data}'::jsonb, NULL::jsonb, :e::bigint);\n`);
}

async function oneRowInserts() {
  const data = `'\\x${'78'.repeat(BYTES)}'::bytea`;
  await sql(DATABASE, `CREATE TABLE events (position bigserial PRIMARY KEY, stream bigint NOT NULL, version bigint NOT NULL, type text NOT NULL,
    data bytea NOT NULL, recorded_at timestamptz NOT NULL DEFAULT now(), UNIQUE (stream, version))`);
  if (present > 0) {
    await sql(DATABASE, `INSERT INTO events (stream, version, type, data)
      SELECT (random() * 9e18)::bigint, 0, 'Authored', ${data} FROM generate_series(1, ${present}) n`);
    await sql(DATABASE, 'VACUUM ANALYZE events');
  }
  return pgbench(`INSERT INTO events (stream, version, type, data) VALUES (:s, :v, 'Authored', ${data});\n`);
}

const shared = [databaseUrl(DATABASE), clients, seconds, stream, BYTES].map(String);
const PEERS = {
  'message-db': { about: 'a category for each client', turn: () => messageDb("'c' || :client_id") },
  'message-db-one': { about: 'one category', turn: () => messageDb("'payment'") },
  insert: { about: 'one-row INSERTs by pgbench, no order guaranteed', turn: oneRowInserts },
  'postgres-es': { about: 'the crate, release build', turn: () => lastLine(run(process.env.PEER_POSTGRES_ES, shared)) },
  emmett: { about: 'one process of Node.js', turn: () => lastLine(run('node', [join(HERE, 'emmett.mjs'), ...shared])) },
};

async function turn(peer) {
  await sql('postgres', `CREATE DATABASE ${DATABASE} TEMPLATE template0`);
  try {
    const told = await peer.turn();
    return { ...told, events_per_second: told.events / told.seconds };
  } finally {
    await sql('postgres', `DROP DATABASE ${DATABASE} WITH (FORCE)`);
  }
}

function hilt() {
  const args = ['bench', 'append', '--clients', clients, '--events', events, '--stream', stream, '--present', present, '--turns', 1, '--json'];
  const env = { ...process.env, HILT_ADMIN_DATABASE_URL: ADMIN_URL };
  return lastLine(run(process.env.HILT_BIN, args.map(String), { env }));
}

function median(turns) {
  turns.sort((one, other) => one.events_per_second - other.events_per_second);
  return turns[Math.floor(turns.length / 2)];
}

const only = values.only.split(',').map((name) => name.trim());
const unknown = only.filter((name) => name !== 'hilt' && !PEERS[name]);
if (unknown.length > 0) throw new Error(`there is no peer ${unknown.join(', ')}`);
const canHavePresent = ['hilt', 'message-db', 'message-db-one', 'insert'];
const chosen = only.filter((name) => present === 0 || canHavePresent.includes(name));
const turns = Object.fromEntries(chosen.map((name) => [name, []]));
for (let round = 0; round < Math.max(1, rounds); round += 1) {
  for (const name of chosen) {
    console.error(`hilt: round ${round + 1}, ${name}`);
    turns[name].push(name === 'hilt' ? hilt() : await turn(PEERS[name]));
  }
}
const log = turns.hilt && median(turns.hilt);
if (log) console.log(JSON.stringify({ peer: 'hilt', about: 'hilt bench append', stream, present, ...log }));
for (const name of chosen.filter((name) => name !== 'hilt')) {
  const middle = median(turns[name]);
  const ratio = log ? { hilt_over_peer: log.events_per_second / middle.events_per_second } : {};
  console.log(JSON.stringify({ peer: name, about: PEERS[name].about, clients, stream, present, ...middle, ...ratio }));
}
