const form = document.getElementById("login");
const problem = document.getElementById("problem");
const sentences = { 400: "账号或密码不能为空。", 401: "账号或密码不正确。", 403: "该账号不能登录。", 429: "尝试过于频繁，请稍后再试。" };

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  problem.textContent = "";
  const fields = new FormData(form);
  try {
    const answer = await fetch("/api/v1/login", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ login: fields.get("login"), password: fields.get("password") }),
    });
    if (answer.ok) location.replace("/");
    else {
      problem.textContent = sentences[answer.status] ?? "登录暂时不可用，请稍后再试。";
      form.elements.password.select();
    }
  } catch {
    problem.textContent = "无法连接服务器。";
  }
});
