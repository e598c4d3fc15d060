/** The JupyterLab extension: its plugins, each of which stands alone. */
import type { JupyterFrontEndPlugin } from "@jupyterlab/application";

const plugins: JupyterFrontEndPlugin<unknown>[] = [];

export default plugins;
