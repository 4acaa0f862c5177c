// The server's lifecycle in this window: find or install it, start it, run commands, restart it.

import { rm } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { commands, type ExtensionContext, type LogOutputChannel, ProgressLocation, window, workspace } from "vscode";
import { type LanguageClient, State } from "vscode-languageclient/node";

import { createClient, SECTION } from "./client";
import { keptKeys, type Secrets } from "./keys";
import { thisMachine } from "./machine";
import { lastLine, type Outcome, run } from "./run";
import { type Command, findServer, installation } from "./server";
import { serverKeys } from "./settings";
import { ABSENT, readStatus, STARTING, type Status, STOPPED } from "./status";
import type { StatusItem } from "./statusItem";

const NO_PROGRAM: Outcome = { status: undefined, stdout: "", stderr: "the program is not found" };

export class Service {
  /** The program that was started last, also used for other commands; undefined if there is none. */
  program: string | undefined;
  private client: LanguageClient | undefined;
  /** Resolves when the last start or stop has ended: a client cannot be stopped while it is starting. */
  private last: Promise<void> = Promise.resolve();
  private readonly keys: readonly string[];
  private readonly ownFolder: string;

  constructor(
    private readonly context: ExtensionContext,
    private readonly item: StatusItem,
    readonly log: LogOutputChannel,
  ) {
    this.keys = serverKeys(context.extension.packageJSON.contributes.configuration);
    this.ownFolder = join(context.globalStorageUri.fsPath, "server");
  }

  get isRunning(): boolean {
    return this.client?.isRunning() ?? false;
  }

  /** Send a request to the server; undefined if it is not running, or if it refuses. */
  async request<T>(method: string, params: unknown): Promise<T | undefined> {
    const client = this.client;
    if (!client?.isRunning()) return undefined;
    return client.sendRequest<T>(method, params).catch((error: unknown) => {
      this.log.warn(`${method}: ${error}`);
      return undefined;
    });
  }

  /** Run one of the server's commands. */
  async execute(command: string, args: readonly unknown[]): Promise<void> {
    await this.request("workspace/executeCommand", { command, arguments: args });
  }

  get secrets(): Secrets {
    return this.context.secrets;
  }

  /** Start the server, or restart it if it is running; offer to install one if there is none. */
  restart(): Promise<void> {
    return this.after(async () => {
      await this.end();
      await this.begin();
    });
  }

  stop(): Promise<void> {
    return this.after(() => this.end());
  }

  private after(next: () => Promise<void>): Promise<void> {
    this.last = this.last.then(next);
    return this.last;
  }

  /** Called with the text of a rewrite so far. */
  onRewriting: (token: string, text: string) => void = () => {};

  private async begin(): Promise<void> {
    const program = findServer(configured("server.path"), this.ownFolder, thisMachine());
    this.program = program;
    this.putOnPath(program);
    if (program === undefined) {
      this.item.show(ABSENT);
      void this.offerInstallation(); // do not wait for the user's answer
      return;
    }
    this.item.show(STARTING);
    this.log.info(`server: ${program}`);
    const client = createClient(program, this.keys, await keptKeys(this.secrets), this.log);
    this.client = client;
    client.onNotification("llm-lsp/status", (params) => this.take(readStatus(params, this.item.status)));
    client.onNotification("llm-lsp/rewriting", ({ token, text }: { token: string; text: string }) =>
      this.onRewriting(token, text),
    );
    client.onDidChangeState(({ newState }) => this.follow(newState));
    // The client has already reported the problem, in its log and in a message.
    await client.start().catch(() => this.item.show(STOPPED));
  }

  private take(status: Status): void {
    const isNew = status.needsModel && !this.item.status.needsModel;
    this.item.show(status);
    if (isNew) void commands.executeCommand("llm-lsp.offerModel");
  }

  /** Add the program in the extension's own folder to the PATH of this window's terminals. */
  private putOnPath(program: string | undefined): void {
    const variables = this.context.environmentVariableCollection;
    variables.description = "Finds the program llm-lsp that this extension installed";
    variables.delete("PATH");
    if (program?.startsWith(this.ownFolder)) variables.append("PATH", `${delimiter}${dirname(program)}`);
  }

  private async end(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    await client?.dispose().catch((error: unknown) => this.log.warn(String(error)));
  }

  /** Install a server into the extension's own folder, and start it. */
  async install(): Promise<void> {
    await this.stop(); // on Windows a running program cannot be replaced
    const fault = await window.withProgress(
      { location: ProgressLocation.Notification, title: "Installing llm-lsp’s server", cancellable: true },
      (_, token) => {
        const ending = new AbortController();
        token.onCancellationRequested(() => ending.abort());
        return this.installInto(this.ownFolder, ending.signal);
      },
    );
    if (fault) void this.showFault(`The server was not installed: ${fault}`);
    await this.restart();
  }

  /** Run one of the program's commands that only print something, and return its output. */
  async ask(...args: string[]): Promise<string> {
    const program = this.program;
    const outcome = program ? await run([program, ...args]) : NO_PROGRAM;
    this.log.info(`> ${program} ${args.join(" ")}: status ${outcome.status}`, outcome.stderr.trimEnd());
    if (outcome.status !== 0) void this.showFault(`llm-lsp ${args.join(" ")}: ${lastLine(outcome.stderr)}`);
    return outcome.stdout;
  }

  async showFault(message: string): Promise<void> {
    const choice = await window.showErrorMessage(message, "Show the Log");
    if (choice) this.log.show();
  }

  private follow(state: State): void {
    void commands.executeCommand("setContext", "llm-lsp.running", state === State.Running);
    if (state === State.Stopped) this.item.show(STOPPED);
    if (state === State.Running && this.item.status === STARTING)
      this.item.show({ ...STARTING, busy: false, message: "" });
  }

  private async offerInstallation(): Promise<void> {
    const named = configured("server.path");
    if (named) {
      const fault = `There is no program “${named}”, which “llm-lsp.server.path” names.`;
      const choice = await window.showWarningMessage(fault, "Open the Setting");
      if (choice) await openSetting();
      return;
    }
    const question = "llm-lsp needs its server: a small Python program.";
    const choice = await window.showInformationMessage(question, "Install the Server", "I Have It…");
    if (choice === "Install the Server") await this.install();
    if (choice === "I Have It…") await openSetting();
  }

  /** Run the commands of an installation; return the error, or undefined. */
  private async installInto(folder: string, signal: AbortSignal): Promise<string | undefined> {
    const succeeds = async (command: Command): Promise<boolean> => (await run(command, { signal })).status === 0;
    const wanted = configured("server.package") || SECTION;
    const steps = await installation(folder, wanted, thisMachine(), succeeds);
    if (steps === undefined) return "there is neither uv nor a Python from 3.11 on";
    // Remove the remains of a broken or older installation.
    await rm(folder, { recursive: true, force: true });
    for (const step of steps) {
      this.log.info(`> ${step.join(" ")}`);
      const outcome = await run(step, { signal, onStderr: (text) => this.log.info(text.trimEnd()) });
      if (outcome.status !== 0)
        return signal.aborted ? "stopped" : lastLine(outcome.stderr) || lastLine(outcome.stdout);
    }
    return undefined;
  }
}

async function openSetting(): Promise<void> {
  await commands.executeCommand("workbench.action.openSettings", "llm-lsp.server.path");
}

function configured(key: string): string {
  return workspace.getConfiguration(SECTION).get<string>(key, "").trim();
}
