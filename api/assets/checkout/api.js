// Calls to the service that this page came from. Nothing here holds a credential.

/** An answer that is not a success, with the service's own code. */
export class Refused extends Error {
  constructor(status, body, retryAfter) {
    super(body.detail || body.title || `HTTP ${status}`);
    this.status = status;
    this.code = body.code || (status >= 500 ? 'unavailable' : 'refused');
    this.blockers = body.blockers || [];
    this.retryAfter = retryAfter;
  }
  /** Whether the same call may succeed later. */
  get passing() {
    return this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

/** No answer at all. */
export class Unreachable extends Error {
  get passing() {
    return true;
  }
}

let ahead = 0;

/** The service's time in milliseconds: a buyer's clock may be wrong. */
export function now() {
  return Date.now() + ahead;
}

/** How long an answer may take: longer than the service gives itself. */
const PATIENCE_MS = 35_000;

async function call(path, options, patience = PATIENCE_MS) {
  let response;
  try {
    response = await fetch(path, { ...options, cache: 'no-store', credentials: 'omit', signal: AbortSignal.timeout(patience) });
  } catch {
    throw new Unreachable('the service did not answer');
  }
  const date = Date.parse(response.headers.get('date') || '');
  if (!Number.isNaN(date)) ahead = date - Date.now();
  const body = await response.json().catch(() => ({}));
  if (response.ok) return body;
  throw new Refused(response.status, body, Number(response.headers.get('retry-after')) || 0);
}

export function get(path) {
  return call(path, { method: 'GET' });
}

export function post(path, body, patience) {
  return call(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }, patience);
}

/** A call that changes nothing, made again if no answer comes soon or the service says that it may succeed later. */
export async function ask(path, body) {
  for (let patience = 8_000; ; patience *= 2) {
    try {
      return await post(path, body, patience);
    } catch (error) {
      if (!error.passing || patience > 16_000) throw error;
      await wait((error.retryAfter || 1) * 1_000);
    }
  }
}

export function wait(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
