import DOMPurify from 'dompurify'
import { Marked, type Tokens } from 'marked'

/**
 * Converts Markdown to inert HTML, which contains only the elements, attributes and URL schemes listed here. HTML in
 * the source is shown as text. Images become links, so nothing is fetched.
 */
export function markdownToHtml(source: string): string {
  return DOMPurify.sanitize(marked.parse(source) as string, {
    ALLOWED_TAGS: tags,
    ALLOWED_ATTR: ['href', 'target', 'rel', 'class', 'align', 'start', 'title'],
    ALLOWED_URI_REGEXP: safeAddress,
    // DOMPurify checks the values of all attributes as URLs, except those it knows to be safe and these.
    ADD_URI_SAFE_ATTR: ['target', 'rel', 'align', 'start'],
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
  })
}

const tags = [
  ...[
    'p',
    'br',
    'hr',
    'h1',
    'h2',
    'h3',
    'h4',
    'h5',
    'h6',
    'ul',
    'ol',
    'li',
    'blockquote',
    'pre',
    'code',
    'strong',
    'em',
  ],
  ...['del', 'a', 'table', 'thead', 'tbody', 'tr', 'th', 'td', 'span'],
]
const safeAddress = /^(?:https?:|mailto:)/i

const marked = new Marked({
  gfm: true,
  renderer: {
    html: ({ text }: Tokens.HTML | Tokens.Tag) => escaped(text),
    link({ href, tokens }: Tokens.Link) {
      return link(href, this.parser.parseInline(tokens))
    },
    image: ({ href, text }: Tokens.Image) => link(href, escaped(text || href)),
    checkbox: ({ checked }: Tokens.Checkbox) => (checked ? '☑ ' : '☐ '),
    code({ text, lang }: Tokens.Code) {
      const language = /^[\w+#.-]+/.exec(lang ?? '')?.[0]
      return `<pre><code${language ? ` class="language-${language.toLowerCase()}"` : ''}>${escaped(text)}</code></pre>`
    },
  },
})

const link = (href: string, label: string) =>
  safeAddress.test(href)
    ? `<a href="${escaped(href)}" target="_blank" rel="noopener noreferrer">${label}</a>`
    : `${label} <span class="address">(${escaped(href)})</span>`

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
