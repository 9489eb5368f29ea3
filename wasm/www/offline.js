// Keeps the page’s own files (FILES, under NAME: written above when the page is put together), so that it works without a network.

addEventListener('install', (event) => {
  // Not from the browser's cache: the files of one version belong together.
  const all = FILES.map((file) => new Request(file, { cache: 'reload' }));
  event.waitUntil(caches.open(NAME).then((cache) => cache.addAll(all)).then(() => skipWaiting()));
});

addEventListener('activate', (event) => {
  const others = (names) => names.filter((name) => name.startsWith('leakgate-') && name !== NAME);
  event.waitUntil(caches.keys().then((names) => Promise.all(others(names).map((name) => caches.delete(name)))).then(() => clients.claim()));
});

addEventListener('fetch', (event) => {
  const isOwn = new URL(event.request.url).origin === location.origin && event.request.method === 'GET';
  if (isOwn) event.respondWith(caches.match(event.request, { ignoreSearch: true }).then((kept) => kept || fetch(event.request)));
});
