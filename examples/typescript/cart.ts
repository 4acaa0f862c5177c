import { type Cents, discounted, format } from "./prices";

export interface Item {
  name: string;
  price: Cents;
  quantity: number;
}

/** Return the price of all items together. */
export function total(items: Item[]): Cents {
  return items.reduce((sum, item) => sum + item.price * item.quantity, 0);
}

/** Return the total after a discount in percent, as text. */
export function discountedTotal(items: Item[], percent: number): string {
  return format(discounted(total(items), percent));
}

/**
 * Return how many items there are, counting quantities.
 *
 * Unfinished on purpose: complete it with `llm-lsp complete examples/typescript/cart.ts:26`.
 */
export function count(items: Item[]): number {
  // As in total, without prices.
  return
}
