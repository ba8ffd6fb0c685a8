import './theme/app.css';
import { CSPProvider } from '@base-ui/react/csp-provider';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { ApiContext, createApi } from './api/api.ts';
import { takeLoginCode } from './pages/login/login-code.ts';
import { createPageRouter } from './router.tsx';
import { FactorArea } from './shell/factor-area.tsx';
import { ToastArea } from './ui/toast.tsx';

const code = takeLoginCode(location, history);
const api = createApi((...args) => fetch(...args));
const router = createPageRouter(code);
const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce;

// A login link pasted into a tab that is open only changes the fragment: begin anew with it.
addEventListener('hashchange', () => {
  if (location.hash.startsWith('#login=')) location.reload();
});

createRoot(document.getElementById('app')!).render(
  <StrictMode>
    <CSPProvider {...(nonce ? { nonce } : { disableStyleElements: true })}>
      <QueryClientProvider client={api.queries}>
        <ApiContext value={api}>
          <ToastArea>
            <FactorArea>
              <RouterProvider router={router} />
            </FactorArea>
          </ToastArea>
        </ApiContext>
      </QueryClientProvider>
    </CSPProvider>
  </StrictMode>,
);
