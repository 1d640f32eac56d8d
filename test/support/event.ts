/** Reads event streams as the format says (https://html.spec.whatwg.org/multipage/server-sent-events.html). */

/**
 * The data of each event that `text` ends with an empty line: its `data:` lines joined by line feeds. Comments,
 * other fields, and an event that is broken off are left out, so a text that is no stream has none.
 */
export function readEvents(text: string): string[] {
  const events: string[] = []
  let data: string[] = []
  for (const line of text.split(/\r\n|\r|\n/).slice(0, -1)) {
    if (line === '') {
      if (data.length > 0) events.push(data.join('\n'))
      data = []
    } else if (/^data(:|$)/.test(line)) data.push(line.replace(/^data:? ?/, ''))
  }
  return events
}
