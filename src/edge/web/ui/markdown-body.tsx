import type { ComponentProps } from 'react';
import { defaultRehypePlugins, Streamdown, type Components } from 'streamdown';

/** Plain elements, which theme/markdown.css dresses. */
const COMPONENTS: Components = {
  h1: ({ children }) => <h2 className="markdown-title">{children}</h2>,
  h2: ({ children }) => <h3>{children}</h3>,
  h3: ({ children }) => <h4>{children}</h4>,
  h4: ({ children }) => <h4>{children}</h4>,
  ul: ({ children }) => <ul>{children}</ul>,
  ol: ({ children, start }: ComponentProps<'ol'>) => <ol {...(start !== undefined && { start })}>{children}</ol>,
  li: ({ children }) => <li>{children}</li>,
  a: ({ href, children }: ComponentProps<'a'>) => (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  ),
  img: ({ alt }: ComponentProps<'img'>) => <em>{alt}</em>,
  code: ({ children }) => (
    <pre tabIndex={0}>
      <code>{children}</code>
    </pre>
  ),
  pre: ({ children }) => children,
  inlineCode: ({ children }) => <code>{children}</code>,
  table: ({ children }) => <table tabIndex={0}>{children}</table>,
  thead: ({ children }) => <thead>{children}</thead>,
  tbody: ({ children }) => <tbody>{children}</tbody>,
  tr: ({ children }) => <tr>{children}</tr>,
  th: ({ children }) => <th>{children}</th>,
  td: ({ children }) => <td>{children}</td>,
  blockquote: ({ children }) => <blockquote>{children}</blockquote>,
  strong: ({ children }) => <strong>{children}</strong>,
  hr: () => <hr />,
} as Components;

/** HTML in the text stays text: only what Markdown itself makes is sanitized and shown. */
const PLUGINS = Object.entries(defaultRehypePlugins).flatMap(([name, plugin]) => (name === 'raw' ? [] : [plugin]));

export default function MarkdownBody({ text, streaming }: { readonly text: string; readonly streaming: boolean }) {
  return (
    <Streamdown
      className="markdown"
      mode={streaming ? 'streaming' : 'static'}
      isAnimating={streaming}
      components={COMPONENTS}
      rehypePlugins={PLUGINS}
      skipHtml
      controls={false}
      linkSafety={{ enabled: false }}
    >
      {text}
    </Streamdown>
  );
}
