/** The kind of file that holds a diagram, and what shows it. */
import type { DocumentRegistry } from "@jupyterlab/docregistry";
import type { TranslationBundle } from "@jupyterlab/translation";
import { dipeoIcon } from "../icons";

export const FILE_TYPE = "dipeo-diagram";
/** The name of the factory; it is the same in every language. */
export const FACTORY = "Diagram";
export const EXTENSIONS = [
  ".light.yaml",
  ".light.yml",
  ".dipeo.yaml",
  ".dipeo.yml",
  ".readable.yaml",
  ".readable.yml",
  ".native.json",
];

export function fileType(trans: TranslationBundle): Partial<DocumentRegistry.IFileType> {
  return {
    name: FILE_TYPE,
    displayName: trans.__("DiPeO Diagram"),
    extensions: EXTENSIONS,
    mimeTypes: ["text/x-yaml"],
    contentType: "file",
    fileFormat: "text",
    icon: dipeoIcon,
  };
}
