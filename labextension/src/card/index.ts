import "../style/index.css";

function render({ el }: { el: HTMLElement }): void {
  el.classList.add("dipeo-card");
}

export default { render };
