import { QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { must } from '../base/assert.ts';
import { createQueryClient } from './failures.ts';
import './styles/theme.css';
import './styles/frame.css';
import './styles/query.css';
import './styles/results.css';
import './styles/records.css';
import './styles/phone.css';
import { App } from './views/app.tsx';
import { CrashNotice } from './views/crash-notice.tsx';

const root = must(document.getElementById('root'), 'element to draw in');
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={createQueryClient()}>
      <CrashNotice>
        <App />
      </CrashNotice>
    </QueryClientProvider>
  </StrictMode>,
);
