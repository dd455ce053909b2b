/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Everything begins here */
function start() {
  $('title').textContent = D.title;
  $('summary').textContent = D.summary.join(' \u00B7 ');
  const bad = D.events.filter(e => e[LEVEL] === 2).length;
  const warn = D.events.filter(e => e[LEVEL] === 1).length;
  $('bad').textContent = bad ? `${bad} violation${bad > 1 ? 's' : ''}` :
    `${warn} warning${warn === 1 ? '' : 's'}`;
  $('next-bad').className = bad ? 'has-bad' : warn ? 'has-warn' : '';
  $('next-bad').onclick = () => nextBad(1);
  $('previous-bad').onclick = () => nextBad(-1);
  $('mode-order').onclick = () => setMode('order');
  $('mode-time').onclick = () => setMode('time');
  $('mode-order').setAttribute('aria-pressed', 'true');
  $('zoom-in').onclick = () => zoom(1.4);
  $('zoom-out').onclick = () => zoom(1 / 1.4);
  $('zoom-fit').onclick = fitAll;
  $('theme').onclick = flipTheme;
  $('ruler').onclick = () => setAnchor(selected >= 0 ? selected : anchor);
  $('fold').onchange = () => setFolding($('fold').checked);
  $('lanes').onchange = () => setLanes($('lanes').value);
  $('save-svg').onclick = saveSvg;
  $('save-png').onclick = savePng;
  $('help').onclick = () => $('keys').showModal();
  $('clear').onclick = clearFilter;
  $('whole').onchange = () => applyFilter();
  $('filter').onsubmit = ev => ev.preventDefault();
  let typing = 0;
  $('search').oninput = () => { clearTimeout(typing); typing = setTimeout(applyFilter, 150); };
  document.addEventListener('click', ev => {
    if (!$('kinds').contains(ev.target)) { $('kinds').open = false; }
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', retint);
  new ResizeObserver(() => { mapDirty = true; paint(); }).observe($('stage'));
  window.addEventListener('beforeprint', beforePrint);
  window.addEventListener('afterprint', () => { $('print').replaceChildren(); draw(); });
  window.addEventListener('hashchange', loadHash);
  colours();
  fillSelects();
  fillKinds();
  pointer();
  keyboard();
  side();
  paint();
  loadHash();
  ready = true;
  document.documentElement.dataset.ready = 'yes';
}
start();
