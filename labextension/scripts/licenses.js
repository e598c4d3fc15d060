/** The licences of all packages that a bundle is made of, as they want to be told with it. */
import { readdir, readFile } from "node:fs/promises";

/** @param metafile what esbuild says of a build */
export async function licencesOf(metafile) {
  const folders = Object.keys(metafile.inputs).flatMap((file) => {
    const found = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file);
    return found ? [found[1]] : [];
  });
  const texts = await Promise.all([...new Set(folders)].sort().map(licenceOf));
  return texts.join(`\n${"-".repeat(80)}\n\n`);
}

async function licenceOf(folder) {
  const { name, version, license } = JSON.parse(await readFile(`${folder}/package.json`, "utf-8"));
  const file = (await readdir(folder)).find((each) => /^(licen[cs]e|copying)/i.test(each));
  const text = file ? await readFile(`${folder}/${file}`, "utf-8") : "";
  return `${name} ${version} (${license})\n\n${text.trim()}\n`;
}
