// What to offer if there is no model and no provider, and the download of a model.

import { commands, ProgressLocation, window } from "vscode";

import { bestToDownload, describeModel, type Model, readModels, readPercent } from "./models";
import { lastLine, run } from "./run";
import type { Service } from "./service";

const DOWNLOAD = "Download a Model";
const ADD = "Add a Provider";

/** Offer the two ways to get a first suggestion. */
export async function offerModel(service: Service): Promise<void> {
  const best = await bestModel(service);
  const which = best ? ` The best for this machine is ${describeModel(best)}; it runs here, and no code leaves it.` : "";
  const choice = await window.showInformationMessage(`llm-lsp has no model yet.${which}`, DOWNLOAD, ADD);
  if (choice === DOWNLOAD) await downloadModel(service);
  if (choice === ADD) await commands.executeCommand("llm-lsp.addProvider");
}

/** Download the best model that this machine can run and reach, with its progress in a notification, and use it. */
export async function downloadModel(service: Service): Promise<void> {
  const program = service.program;
  if (program === undefined) return;
  const best = await bestModel(service);
  const ending = new AbortController();
  const outcome = await window.withProgress(
    { location: ProgressLocation.Notification, title: best ? `Downloading ${describeModel(best)}` : "Downloading a model", cancellable: true },
    (progress, token) => {
      token.onCancellationRequested(() => ending.abort());
      let percent = 0;
      const onStderr = (text: string): void => {
        const message = lastLine(text);
        service.log.info(message);
        const now = readPercent(message);
        const begun = percent;
        percent = now ?? percent;
        if (message) progress.report({ message, increment: Math.max(0, percent - begun) });
      };
      return run([program, "model", "pull"], { signal: ending.signal, onStderr });
    },
  );
  if (ending.signal.aborted) return;
  if (outcome.status !== 0) void service.showFault(`No model was downloaded: ${lastLine(outcome.stderr)}`);
  else void window.showInformationMessage("The model is here: type, and accept the grey text with Tab.");
  await service.restart(); // The server looks for a model when it starts.
}

async function bestModel(service: Service): Promise<Model | undefined> {
  return bestToDownload(readModels(await service.ask("model", "list", "--json")));
}
