// Which room is behind which address, and who may enter. The server guards the data; this only spares closed doors.
import { createRouter, createWebHistory, type Router } from "vue-router";
import { t, type Key } from "@/i18n";
import { SECTIONS } from "@/office/sections";
import { useWho } from "@/shell/who";

export interface Room {
  path: string;
  title: Key;
  permission: string;
}

/** Rooms of the console in the order of the navigation. */
export const ROOMS: readonly Room[] = [
  { path: "/desk", title: "nav.desk", permission: "seat.use" },
  { path: "/wallboard", title: "nav.wallboard", permission: "seats.force" },
  { path: "/tickets", title: "nav.tickets", permission: "tickets.read" },
  { path: "/replay", title: "nav.replay", permission: "recordings.play" },
  { path: "/office", title: "nav.office", permission: "flows.read" },
];

export function makeRouter(): Router {
  const router = createRouter({
    history: createWebHistory(),
    routes: [
      { path: "/login", component: () => import("@/shell/LoginPage.vue"), meta: { title: "login.title", open: true } },
      { path: "/desk", component: () => import("@/desk/DeskPage.vue"), meta: { title: "nav.desk" } },
      { path: "/wallboard", component: () => import("@/wallboard/WallboardPage.vue"), meta: { title: "nav.wallboard" } },
      { path: "/wallboard/screen", component: () => import("@/wallboard/ScreenPage.vue"), meta: { title: "board.large", bare: true } },
      { path: "/replay/:recording?", component: () => import("@/replay/ReplayPage.vue"), meta: { title: "nav.replay" } },
      { path: "/tickets/:ticket?", component: () => import("@/tickets/TicketsPage.vue"), meta: { title: "nav.tickets" } },
      {
        path: "/office",
        component: () => import("@/office/OfficePage.vue"),
        meta: { title: "nav.office" },
        children: [
          { path: "", redirect: () => SECTIONS.find((one) => useWho().may(one.permission))?.path ?? "/" },
          { path: "numbers/:number?", component: () => import("@/office/NumbersPage.vue"), meta: { title: "office.numbers" } },
          { path: "flows/:flow?", component: () => import("@/office/FlowsPage.vue"), meta: { title: "office.flows" } },
          { path: "prompts", component: () => import("@/office/PromptsPage.vue"), meta: { title: "office.prompts" } },
          { path: "calendar", component: () => import("@/office/CalendarPage.vue"), meta: { title: "office.calendar" } },
          { path: "agents", component: () => import("@/office/AgentsPage.vue"), meta: { title: "office.agents" } },
          { path: "skills", component: () => import("@/office/SkillsPage.vue"), meta: { title: "office.skills" } },
          { path: "roster", component: () => import("@/office/RosterPage.vue"), meta: { title: "office.roster" } },
          { path: "people", component: () => import("@/office/PeoplePage.vue"), meta: { title: "office.people" } },
        ],
      },
      { path: "/:rest(.*)*", redirect: "/desk" },
    ],
  });
  router.beforeEach(async (to) => {
    const who = useWho();
    if (to.meta["open"]) return true;
    if (!who.me && !(await who.load())) return "/login";
    const room = SECTIONS.find((one) => to.path.startsWith(one.path)) ?? ROOMS.find((one) => to.path.startsWith(one.path));
    if (room && !who.may(room.permission)) {
      const other = ROOMS.find((one) => who.may(one.permission));
      if (!other) location.assign("/status");
      return other?.path ?? false;
    }
    return true;
  });
  router.afterEach((to) => {
    document.title = `${t((to.meta["title"] as Key | undefined) ?? "app.name")} · ${t("app.name")}`;
  });
  return router;
}
