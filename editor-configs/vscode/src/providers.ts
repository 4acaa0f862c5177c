// The providers as listed by `llm-lsp provider list`; independent of VS Code.

import type { Command } from "./server";

export interface Provider {
  readonly name: string;
  /** "in use", "enabled", or "" for a preset that is not enabled. */
  readonly state: string;
  readonly address: string;
  readonly model: string;
}

/** The arguments of `provider add`; without an address the name is a preset's. */
export interface NewProvider {
  readonly name: string;
  readonly address?: string;
  readonly model?: string;
}

/** The wire format of nearly every self-hosted server: vLLM, LM Studio, a gateway. */
const USUAL_API = "openai-completions";

/** Two choices that are not in the list: find a server running on this machine, and the server's own model. */
export const BUILT_IN: readonly Provider[] = [
  { name: "auto", state: "enabled", address: "", model: "a model server that runs here, else our own model" },
  { name: "local", state: "enabled", address: "", model: "our own model on this machine" },
];

/** Parse the list; empty if it is invalid. */
export function readProviders(json: string): Provider[] {
  try {
    const rows: unknown = JSON.parse(json);
    return Array.isArray(rows) ? rows.filter(isProvider) : [];
  } catch {
    return [];
  }
}

/** Return the command that enables a provider. It does not contain the key, which the command reads from its input. */
export function addCommand(program: string, { name, address, model }: NewProvider): Command {
  const where = address ? ["--api", USUAL_API, "--base-url", address] : [];
  const which = model ? ["--model", model] : [];
  return [program, "provider", "add", ...where, ...which, "--kept-by-editor", "--use", "--", name];
}

/** Return what is wrong with a name, or undefined. */
export function nameFault(name: string): string | undefined {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)
    ? undefined
    : "Letters, digits, “.”, “_” and “-”, beginning with a letter or a digit";
}

/** Return what is wrong with an address, or undefined. */
export function addressFault(address: string): string | undefined {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  return url && ["http:", "https:"].includes(url.protocol) && !url.username && !url.password
    ? undefined
    : "An http or https address, without user and password";
}

/** Whether an address is on this machine, where servers take no key. */
export function isLoopback(address: string): boolean {
  return URL.canParse(address) && /^(localhost|127\.[\d.]+|\[::1\])$/.test(new URL(address).hostname);
}

function isProvider(row: unknown): row is Provider {
  const strings = ["name", "state", "address", "model"];
  return typeof row === "object" && row !== null && strings.every((key) => typeof Reflect.get(row, key) === "string");
}
