// What the buyer orders: how much, and as whom.

import { chosenIdentity } from './identity.js';
import { format, parse } from './money.js';
import { $, warn } from './view.js';

function amount(config) {
  if (config.amount !== null) return config.amount;
  const own = $('tip-own').value.trim();
  const preset = document.querySelector('input[name="tip"]:checked');
  return own !== '' ? parse(own, config.decimals) : preset ? Number(preset.value) : null;
}

/** An amount with its asset. */
export function money(config, units) {
  return `${format(units, config.decimals)} ${config.symbol}`;
}

/** Writes the amount on the button that pays. */
export function labelPay(config) {
  const units = amount(config);
  $('pay-button').textContent = units ? `Pay ${money(config, units)}` : 'Pay';
}

/** What is ordered, or nothing if something is missing; then the buyer is told what. */
export function order(config, memory) {
  const units = amount(config);
  if (!units) {
    $('tip-own').setAttribute('aria-invalid', 'true');
    $('tip-own').focus();
    warn({ title: 'Choose an amount', text: `More than zero, with at most ${config.decimals} decimals.` });
    return null;
  }
  const identity = chosenIdentity(config, memory);
  if (identity === undefined) {
    warn({ title: `${config.identity.label} is missing`, text: 'Access is given to this name.' });
    return null;
  }
  warn(null);
  return { amount: units, identity };
}

/** Keeps the presets and the field of a tip jar in step with each other and with the button. */
export function watchAmount(config) {
  const presets = document.querySelectorAll('input[name="tip"]');
  $('tip-own')?.addEventListener('input', () => {
    $('tip-own').removeAttribute('aria-invalid');
    for (const preset of presets) preset.checked = false;
    labelPay(config);
  });
  for (const preset of presets) {
    preset.addEventListener('change', () => {
      $('tip-own').value = '';
      labelPay(config);
    });
  }
}
