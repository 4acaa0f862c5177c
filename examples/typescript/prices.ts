/** A price in cents, to avoid rounding errors. */
export type Cents = number;

/** Format a price, such as 1250 as "12.50". */
export function format(price: Cents): string {
  return (price / 100).toFixed(2);
}

/** Return a price after a discount in percent, rounded to whole cents. */
export function discounted(price: Cents, percent: number): Cents {
  return Math.round((price * (100 - percent)) / 100);
}
