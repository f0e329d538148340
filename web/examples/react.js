/** React 19 sets a custom element's properties and listens to its events like those of any other element. */

import { createElement as h, useState } from 'react';
import { createRoot } from 'react-dom/client';
import '../watch-next.js';

function Club() {
  const [watched, setWatched] = useState([]);
  const [limit, setLimit] = useState(4);
  return h(
    'main',
    null,
    h('p', { id: 'count' }, `${watched.length} watched`),
    h(
      'label',
      null,
      'Suggestions: ',
      h('input', {
        type: 'number',
        min: 1,
        max: 12,
        value: limit,
        onChange: (event) => setLimit(Number(event.target.value)),
      }),
    ),
    h('watch-next', { limit, store: 'react', 'onwatchnext:watched': ({ detail }) => setWatched(detail.watched) }),
  );
}

createRoot(document.getElementById('root')).render(h(Club));
