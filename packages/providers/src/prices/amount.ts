/**
 * Exact amounts of money: whole numbers of 10⁻¹⁸ USD. A price of one dollar per million tokens is 10¹² of them per
 * token, so twelve decimals of a price per million are exact.
 */
const places = 18;
const perTokenPlaces = 12;

const scaled = (text: string, decimals: number): bigint | undefined => {
  const match = /^(\d+)(?:\.(\d*))?(?:e([+-]?\d{1,2}))?$/i.exec(text.trim());
  if (match === null) return undefined;
  const [, whole = '0', fraction = '', exponent = '0'] = match;
  const shift = decimals - fraction.length + Number(exponent);
  const digits = BigInt(whole + fraction);
  if (shift >= 0) return digits * 10n ** BigInt(shift);
  const divisor = 10n ** BigInt(-shift);
  return digits % divisor === 0n ? digits / divisor : undefined;
};

/** Units per token of a price in USD per million tokens. undefined: not a decimal number, or finer than we count. */
export const perToken = (usdPerMillion: number | string): bigint | undefined =>
  scaled(String(usdPerMillion), perTokenPlaces);

/** An amount as a decimal number of dollars, without zeros at its end. */
export const toUsd = (amount: bigint): string => {
  const digits = amount.toString().padStart(places + 1, '0');
  const fraction = digits.slice(-places).replace(/0+$/, '');
  const whole = digits.slice(0, -places);
  return fraction === '' ? whole : `${whole}.${fraction}`;
};
