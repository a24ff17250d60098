// A table of many rows: sorted by a click, filtered as one types, drawn a hundred at a time.

import { byId, element } from "./page.js";

const AT_ONCE = 100;

function compare(a, b) {
  if (a == null || b == null) return (a == null) - (b == null); // what is not known comes last
  return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
}

export class Table {
  // A column has a `name`, gives a `value` of a row to sort by, and a `cell` to show; its cells
  // have its `class`. `text` gives what the filter looks at, `mark` the class of a row.
  constructor(columns, { text, mark = () => "", keep = () => true, sorted = 0, descending = false }) {
    Object.assign(this, { columns, text, mark, keep, sorted, descending });
    this.rows = [];
    this.order = [];
    this.found = []; // those that the filter leaves
    this.shown = AT_ONCE;
    this.head = byId("table").tHead;
    this.body = byId("table").tBodies[0];
    this.more = byId("more");
    this.head.append(element("tr", {}, ...columns.map((column, number) => this.header(column, number))));
    this.filter = byId("filter");
    this.filter.addEventListener("input", () => this.draw(AT_ONCE, false));
    this.filter.form.addEventListener("submit", (event) => event.preventDefault());
    this.more.addEventListener("click", () => this.draw(this.shown + AT_ONCE));
    new IntersectionObserver(([seen]) => seen.isIntersecting && this.draw(this.shown + AT_ONCE)).observe(this.more);
  }

  header(column, number) {
    const button = element("button", { type: "button" }, column.name);
    button.addEventListener("click", () => {
      this.descending = this.sorted === number ? !this.descending : Boolean(column.descending);
      this.sorted = number;
      this.draw(AT_ONCE);
    });
    return element("th", { scope: "col", class: column.class, title: column.title }, button);
  }

  // All rows in their order.
  inOrder() {
    const { value } = this.columns[this.sorted];
    const sign = this.descending ? -1 : 1;
    const keyed = this.rows.map((row) => [value(row), this.text(row), row]);
    keyed.sort(([a, text], [b, other]) => (a == null || b == null ? compare(a, b) : sign * compare(a, b)) || compare(text, other));
    return keyed.map(([, , row]) => row);
  }

  // The filter changes no order: what is only filtered need not be `sorted` anew.
  draw(shown = this.shown, sorted = true) {
    this.shown = shown;
    if (sorted) this.order = this.inOrder();
    const wanted = this.filter.value.trim().toLowerCase();
    const rows = this.order.filter((row) => this.keep(row) && (!wanted || this.text(row).includes(wanted)));
    [...this.head.rows[0].cells].forEach((cell, number) => {
      if (number === this.sorted) cell.setAttribute("aria-sort", this.descending ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    });
    this.keepFocus(() => this.body.replaceChildren(...rows.slice(0, shown).map((row) => this.row(row))));
    this.more.hidden = rows.length <= shown;
    byId("empty").hidden = this.rows.length > 0;
    byId("none").hidden = rows.length > 0 || this.rows.length === 0;
    this.found = rows;
  }

  // Whoever has come to a link with the keyboard stays there while rows are drawn anew.
  keepFocus(redraw) {
    const address = this.body.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    redraw();
    if (address) this.body.querySelector(`a[href="${CSS.escape(address)}"]`)?.focus();
  }

  row(row) {
    const cells = this.columns.map((column) => element("td", { class: column.class }, column.cell(row) ?? ""));
    return element("tr", { class: this.mark(row) || null }, ...cells);
  }
}
