// Sections of the back office, in groups, and who may enter each. The server guards the data.
import type { Key } from "@/i18n";

export interface Section {
  path: string;
  title: Key;
  permission: string;
}
export interface Group {
  title: Key;
  sections: readonly Section[];
}

export const GROUPS: readonly Group[] = [
  {
    title: "office.lines",
    sections: [
      { path: "/office/numbers", title: "office.numbers", permission: "numbers.read" },
      { path: "/office/flows", title: "office.flows", permission: "flows.read" },
      { path: "/office/prompts", title: "office.prompts", permission: "flows.read" },
      { path: "/office/calendar", title: "office.calendar", permission: "numbers.read" },
    ],
  },
  {
    title: "office.staff",
    sections: [
      { path: "/office/agents", title: "office.agents", permission: "people.read" },
      { path: "/office/skills", title: "office.skills", permission: "people.read" },
      { path: "/office/roster", title: "office.roster", permission: "people.read" },
      { path: "/office/people", title: "office.people", permission: "people.read" },
    ],
  },
];
export const SECTIONS: readonly Section[] = GROUPS.flatMap((group) => group.sections);
