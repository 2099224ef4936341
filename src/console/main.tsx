import '../../public/tokens.css';
import './design/design.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './App.js';
import { beginEmbedding } from './embedding.js';
import { startTexts } from './texts/texts.js';

// The console lives below /console, so that its addresses are its own.
if (location.pathname === '/') history.replaceState(null, '', `/console${location.search}${location.hash}`);

beginEmbedding();
await startTexts();
createRoot(document.getElementById('console') as HTMLElement).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
