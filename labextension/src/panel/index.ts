/** The JupyterLab extension: its plugins, each of which stands alone. */
import type { JupyterFrontEndPlugin } from "@jupyterlab/application";
import { runCommands } from "./commands";
import { diagramDocument } from "./document/plugin";
import { newDiagram } from "./new-diagram";
import { openRun } from "./open-run";
import { running } from "./running";
import { saved } from "./saved";
import { service } from "./service";
import { sidebar } from "./sidebar";

const plugins: JupyterFrontEndPlugin<unknown>[] = [
  service,
  runCommands,
  openRun,
  sidebar,
  running,
  newDiagram,
  diagramDocument,
  saved,
];

export default plugins;
