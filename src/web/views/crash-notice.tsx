import type { ReactNode } from 'react';
import { Component } from 'react';

interface CrashNoticeProps {
  readonly children: ReactNode;
}

/** Shows a mistake of the page in words instead of an empty window; React knows no other way than a class. */
export class CrashNotice extends Component<CrashNoticeProps, { message: string | undefined }> {
  override readonly state = { message: undefined };

  static getDerivedStateFromError(error: unknown): { message: string } {
    return { message: error instanceof Error ? error.message : String(error) };
  }

  override render(): ReactNode {
    if (this.state.message === undefined) return this.props.children;
    return (
      <div className="notice" role="alert">
        <h2>This page has stopped</h2>
        <p>That is a mistake in Logboom. What is collected and stored is not touched by it.</p>
        <p className="mono">{this.state.message}</p>
        <p className="remedies">
          <button type="button" onClick={() => location.reload()}>
            Load the page again
          </button>
          <a href="/">Start with a new search</a>
        </p>
      </div>
    );
  }
}
