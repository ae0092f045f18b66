import { texts } from '../texts';
import { notify } from './Notices';

/** Copies, and says whether it did: browsers have no clipboard for pages without https, and may refuse one. */
export async function copyText(text: string, done: string, failed: string = texts.common.copyFailed) {
  try {
    await navigator.clipboard.writeText(text);
    notify(done);
  } catch {
    notify(failed, { severity: 'error' });
  }
}
