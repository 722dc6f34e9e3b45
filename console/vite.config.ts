import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

// For `npm run dev`: a server of your own, whose admin API the console speaks to.
const admin = process.env['TIDEGATE_ADMIN'] ?? 'http://127.0.0.1:8081';

export default defineConfig({
  base: '/console/',
  plugins: [react()],
  server: { proxy: { '/admin': admin } },
  build: { target: 'es2022', assetsInlineLimit: 0, chunkSizeWarningLimit: 700 },
  test: { include: ['test/**/*.test.ts', 'test/**/*.test.tsx'] },
});
