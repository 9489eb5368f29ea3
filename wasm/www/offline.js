// Caches the page's own files, which makes the page work offline. The build prepends two constants:
// FILES, the files, and NAME, the name of the cache.

addEventListener('install', (event) => {
  // Bypass the HTTP cache: the files of a version belong together.
  const requests = FILES.map((file) => new Request(file, { cache: 'reload' }));
  const addAll = async () => {
    const cache = await caches.open(NAME);
    await cache.addAll(requests);
    await skipWaiting();
  };
  event.waitUntil(addAll());
});

addEventListener('activate', (event) => {
  const isOutdated = (name) => name.startsWith('leakgate-') && name !== NAME;
  const takeOver = async () => {
    const outdated = (await caches.keys()).filter(isOutdated);
    await Promise.all(outdated.map((name) => caches.delete(name)));
    await clients.claim();
  };
  event.waitUntil(takeOver());
});

addEventListener('fetch', (event) => {
  const { request } = event;
  const isOwn = new URL(request.url).origin === location.origin && request.method === 'GET';
  const load = async () => (await caches.match(request, { ignoreSearch: true })) || fetch(request);
  if (isOwn) event.respondWith(load());
});
