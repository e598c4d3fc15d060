/** Opens the workshop: `npm run dev [PORT]`. */
import { openWorkshop } from "./workshop.js";

const { url } = await openWorkshop(Number(process.argv[2] ?? 8765));
console.log(url);
console.log("for instance ?journal=launch&speed=1&from=20&theme=dark&width=600 or ?nodes=200");
