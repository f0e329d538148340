/** Vue must know that the tag is a custom element and not a component. */

import { createApp, ref } from 'vue';
import '../watch-next.js';

const app = createApp({
  setup() {
    const count = ref(0);
    const limit = ref(4);
    return { count, limit };
  },
  template: `
    <p id="count">{{ count }} watched</p>
    <label>Suggestions: <input type="number" min="1" max="12" v-model.number="limit"></label>
    <watch-next :limit.attr="limit" store="vue" @watchnext:watched="count = $event.detail.watched.length"></watch-next>
  `,
});
app.config.compilerOptions.isCustomElement = (tag) => tag === 'watch-next';
app.mount('#root');
