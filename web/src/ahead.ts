// The first script of the page, of 3 KiB. While the browser still reads the others, it asks who is logged in, and for
// the code and the first data of the page that is opened. One after another they would take three times as long.
import { addressOf } from './api/address';
import { askAhead } from './api/ahead';
import { pageAt, pageCode } from './pages/code';
import { listPageSize, listsOfOverview, modelsAsked, modelsPath } from './api/firstPage';

export function askForPage({ pathname, search }: Pick<Location, 'pathname' | 'search'>) {
  if (!pathname.startsWith('/ui')) return;
  askAhead('/v1/session');
  const opened = pageAt(pathname.slice('/ui'.length));
  if (!opened) return;
  // Who shows the page repeats what fails.
  pageCode[opened.page]().catch(() => undefined);
  const path = { org: opened.org };
  // Behind the details of a model, the list can wait. A login that is asked for before they open would be hidden by them.
  if ((opened.page === 'models' || opened.page === 'overview') && !new URLSearchParams(search).has('model'))
    askAhead(addressOf(modelsPath, { path, query: modelsAsked('') }));
  if (opened.page === 'overview')
    for (const list of listsOfOverview)
      askAhead(addressOf(`/v1/orgs/{org}/${list}`, { path, query: { page_size: listPageSize } }));
}

askForPage(location);
