// Starts one offline Solana chain in this process, prints one JSON line with its address, and ends when stdin closes:
// a test that dies takes its chain with it.
import { createRequire } from 'node:module';

const { Surfnet } = createRequire(import.meta.url)('@solana/surfpool-linux-x64-gnu');

const TOKEN_PROGRAM = 'TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA';
const USDC_MINT = 'EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v';

// An SPL mint account without authorities: option tag and authority (36 bytes), supply u64, decimals, initialised, freeze option (36).
function mintAccount(decimals) {
  const data = Buffer.alloc(82);
  data.writeBigUInt64LE(10n ** 15n, 36);
  data.writeUInt8(decimals, 44);
  data.writeUInt8(1, 45);
  return data.toString('hex');
}

async function call(url, method, params) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  const answer = await response.json();
  if (answer.error) throw new Error(`${method}: ${JSON.stringify(answer.error)}`);
  return answer.result;
}

// The chain ends when its object is collected, and only what the process itself holds is never collected.
const surfnet = (globalThis.surfnet = Surfnet.startWithConfig({ offline: true, blockProductionMode: 'clock', slotTimeMs: 20 }));
await call(surfnet.rpcUrl, 'surfnet_setAccount', [
  USDC_MINT,
  { lamports: 1461600, data: mintAccount(6), owner: TOKEN_PROGRAM },
]);
// The chain tells of everything that happens on it in a queue of bounded length. When the queue is full, the block that is being made waits
// for room, and with it every caller; so somebody has to take out what nobody reads.
setInterval(() => surfnet.drainEvents(), 50);
process.stdout.write(`${JSON.stringify({ rpcUrl: surfnet.rpcUrl })}\n`);

process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
process.stdin.on('error', () => process.exit(0));
