/** Signs of our own, in the colours of Lab's icons. */
import { LabIcon } from "@jupyterlab/ui-components";

export const dipeoIcon = new LabIcon({
  name: "dipeo-jupyter:diagram",
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 24 24">
<g class="jp-icon3" stroke="#616161" stroke-width="2" stroke-linejoin="round">
<rect fill="none" x="2.5" y="9" width="6.5" height="6" rx="1.6"/>
<rect fill="none" x="15" y="3" width="6.5" height="6" rx="1.6"/>
<rect fill="none" x="15" y="15" width="6.5" height="6" rx="1.6"/>
<path fill="none" d="M9 12h3M15 6h-1.4a1.6 1.6 0 0 0-1.6 1.6v8.8a1.6 1.6 0 0 0 1.6 1.6H15"/>
</g></svg>`,
});

export const pauseIcon = new LabIcon({
  name: "dipeo-jupyter:pause",
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 24 24">
<path class="jp-icon3" fill="#616161" d="M6 5h4v14H6zM14 5h4v14h-4z"/></svg>`,
});

export const stepIcon = new LabIcon({
  name: "dipeo-jupyter:step",
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 24 24">
<path class="jp-icon3" fill="#616161" d="M5 5v14l10-7zM16 5h3v14h-3z"/></svg>`,
});
