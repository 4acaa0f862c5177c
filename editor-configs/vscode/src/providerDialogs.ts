// The dialogs that switch to another provider, or add one with its key.

import { commands, ProgressLocation, type QuickPickItem, window } from "vscode";

import { isLeftToEditor, keepKey } from "./keys";
import {
  addCommand,
  addressFault,
  BUILT_IN,
  isLoopback,
  nameFault,
  type NewProvider,
  type Provider,
  readProviders,
} from "./providers";
import { failLine, lastLine, run } from "./run";
import type { Service } from "./service";

interface Choice extends QuickPickItem {
  readonly provider?: Provider;
}

export async function switchProvider(service: Service): Promise<void> {
  const enabled = (await list(service)).filter(({ state }) => state !== "");
  const choices = [...enabled, ...BUILT_IN].map(choiceOf);
  const chosen = await window.showQuickPick(choices, { title: "Complete with" });
  if (chosen?.provider) await commands.executeCommand("llm-lsp.selectProvider", chosen.provider.name);
}

export async function addProvider(service: Service): Promise<void> {
  const presets = (await list(service)).filter(({ state }) => state === "");
  const other: Choice = { label: "$(globe) Another address…", alwaysShow: true };
  const chosen = await window.showQuickPick([...presets.map(choiceOf), other], {
    title: "Add a provider",
    placeHolder: "Your code will be sent to the provider that you add",
    matchOnDetail: true,
  });
  const provider = chosen && (chosen.provider ? { name: chosen.provider.name } : await askAddress());
  if (!provider) return;
  const address = chosen.provider?.address ?? provider.address ?? "";
  const key = await askKey(provider.name, address);
  if (key !== undefined) await add(service, provider, address, key);
}

async function list(service: Service): Promise<Provider[]> {
  return readProviders(await service.ask("provider", "list", "--json"));
}

function choiceOf(provider: Provider): Choice {
  const { name, state, address, model } = provider;
  return { label: name, description: [state, model].filter(Boolean).join(" · "), detail: address, provider };
}

/** Ask for a server without a preset; undefined if the user cancels. */
async function askAddress(): Promise<NewProvider | undefined> {
  const address = await window.showInputBox({
    title: "Address of an OpenAI-compatible API (1 of 3)",
    placeHolder: "https://models.example.org/v1",
    validateInput: addressFault,
    ignoreFocusOut: true,
  });
  if (!address) return undefined;
  const name = await window.showInputBox({
    title: "A name for it (2 of 3)",
    placeHolder: "mine",
    validateInput: nameFault,
    ignoreFocusOut: true,
  });
  if (!name) return undefined;
  const model = await window.showInputBox({
    title: "Name of the model; empty: the first that the API lists (3 of 3)",
    ignoreFocusOut: true,
  });
  return model === undefined ? undefined : { name, address, model };
}

/** Ask for a key, which goes to the system's keyring; "" if none is needed, undefined if the user cancels. */
async function askKey(name: string, address: string): Promise<string | undefined> {
  if (isLoopback(address)) return "";
  return await window.showInputBox({
    title: `API key of ${name}`,
    prompt:
      "Kept in the system’s keyring, or by VS Code where there is none; never in a settings file. Empty: none is needed, or a variable holds it.",
    password: true,
    ignoreFocusOut: true,
  });
}

async function add(service: Service, provider: NewProvider, address: string, key: string): Promise<void> {
  const program = service.program;
  if (program === undefined) return;
  const outcome = await window.withProgress(
    { location: ProgressLocation.Notification, title: `Adding ${provider.name} and trying it` },
    () => run(addCommand(program, provider), { input: `${key}\n` }),
  );
  service.log.info(`${outcome.stderr}${outcome.stdout}`.trimEnd());
  if (outcome.status !== 0) {
    const why = failLine(outcome.stdout) || lastLine(outcome.stderr);
    void service.showFault(`${provider.name} was tried and is not used: ${why}`);
  } else {
    if (key && isLeftToEditor(outcome.stderr)) {
      await keepKey(service.secrets, { provider: provider.name, address, key });
    }
    void window.showInformationMessage(`${provider.name} works, and is used from now on.`);
  }
  await service.restart(); // the server reads the user's file at startup
}
