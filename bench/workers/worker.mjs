// What is measured: an echo that may cost work first. The same module in one loop and in workers.

/** Bytes that each message's work hashes. */
const WORK = new Uint8Array(256 * 1024).fill(7);

/** FNV-1a in JavaScript: work that is the same on every engine. */
function hash(bytes) {
  let h = 0x811c9dc5;
  for (let i = 0; i < bytes.length; i++) h = Math.imul(h ^ bytes[i], 0x01000193);
  return h >>> 0;
}

export default async ({ data, listen }) => {
  const { serve } = await import(data.mod);
  let sum = 0;
  const handler = async (conn) => {
    const buffer = new Uint8Array(64 * 1024);
    for (let n; (n = await conn.read(buffer)) !== null;) {
      if (data.work) sum ^= hash(WORK);
      await conn.write(buffer.subarray(0, n));
    }
    return sum; // So that no compiler leaves the work out.
  };
  return serve(await listen(), async (conn) => void await handler(conn));
};
