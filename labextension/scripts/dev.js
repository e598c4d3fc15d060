import { openWorkshop } from "./workshop.js";

const { url } = await openWorkshop(8765);
console.log(`${url}?journal=launch&speed=1 (theme=dark, width=600, from=20, nodes=200)`);
