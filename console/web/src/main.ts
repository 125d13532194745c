import "element-plus/dist/index.css";
import "@/style.css";
import { createPinia } from "pinia";
import { createApp } from "vue";
import { language } from "@/i18n";
import { makeRouter } from "@/router";
import App from "@/shell/App.vue";

document.documentElement.lang = language.value;
createApp(App).use(createPinia()).use(makeRouter()).mount("#app");
