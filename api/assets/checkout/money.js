// Amounts in minor units, as BigInt: money is never a floating point number.

/** An amount as people read it: at least two decimals, no zeros beyond them. */
export function format(units, decimals) {
  const digits = BigInt(units).toString().padStart(decimals + 1, '0');
  const whole = digits.slice(0, digits.length - decimals).replace(/\B(?=(\d{3})+$)/g, ',');
  const fraction = decimals === 0 ? '' : digits.slice(-decimals);
  const shown = fraction.replace(/0+$/, '').padEnd(Math.min(2, decimals), '0');
  return shown === '' ? whole : `${whole}.${shown}`;
}

/** The minor units of what somebody typed, or null if that is no amount above zero. */
export function parse(text, decimals) {
  const match = /^(\d{1,15})(?:[.,](\d*))?$/.exec(text.trim());
  if (!match) return null;
  const fraction = match[2] ?? '';
  if (fraction.length > decimals) return null;
  const units = BigInt(match[1] + fraction.padEnd(decimals, '0'));
  return units > 0n && units <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(units) : null;
}
