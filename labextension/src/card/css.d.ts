/** The whole of a style sheet, with all that it imports: see `scripts/card-options.js`. */
declare module "*.css" {
  const text: string;
  export default text;
}
