import 'react';

declare module 'react' {
  interface CSSProperties {
    /** Hue of a source's dot, in degrees. */
    '--hue'?: number;
  }
}
