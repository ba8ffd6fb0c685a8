/**
 * What injected instructions speak of, by concept, in the languages one meets most: whole words, or beginnings of words with `*`; words of
 * scripts without spaces are found inside running text. Added to freely: the weights know concepts, not words.
 */
export const CONCEPTS: Readonly<Record<string, string>> = {
  /** Drop what you were told. */
  override:
    'نادیده התעלם* תתעלם* αγνόησ* αγνοήσ* ξέχνα* pansinin ละเลย 忘れて 잊고 zignoruj* ignorer* ignorera* skip* ignore* disregard* forget overrid* overwrite bypass* discard neglect supersed* nullif* ignorier* missachte* vergiss vergesst umgeh* ignora* olvida* desestim* omite omita ignorez oublie* outrepass* négligez neglige* ignoriere* dimentica* trascura* esqueça* esquece* desconsider* ignoruj* zapomnij* pomiń negeer* vergeet игнорир* игнориру* проигнорир* забудь* забудьте отбрось* ігнору* забудь abaikan lupakan abaikanlah bỏ quên görmezden unut yoksay* huwag kalimutan balewalain ignoră uită ignorera glöm صرف تجاهل* انس تناس* अनदेखा नज़रअंदाज़ नजरअंदाज उपेक्षा भूल उपेक्षा অগ্রাহ্য উপেক্ষা ভুলে 忽略 忽視 忽视 无视 無視 忘记 忘掉 忘れ 무시 잊어 잊고 ละเว้น ไม่ต้องสนใจ',
  prior:
    'قبلی پیشین הקודמ* הקודמות προηγούμεν* παραπάνω tidigare ก่อนหน้า これまで previous* prior above earlier preceding foregoing before anterior* precedent* précédent* previa* previas previos vorherig* vorige* obige* bisherig* precedente* precedenti poprzedni* vorige eerdere предыдущ* прежн* вышеуказ* попередн* sebelumnya trước önceki nakaraan naunang tidigare السابق* سابق* पिछले पिछली पूर्व पहले পূর্ববর্তী আগের 之前 以前 先前 上述 以上 前の 前回 이전 위의',
  instruction:
    'دستورالعمل* دستور* הוראות ההוראות οδηγίες οδηγιών εντολ* instruktioner 지침 utos instruction* instruct prompt* directive* guideline* guidance* command* order orders rule rules anweisung* instruktion* befehl* vorgabe* regeln instruccion* instrucción* indicacion* reglas órdenes consigne* directives instrucao instrução instruções instrucoes istruzion* regole instrukcj* polecen* zasady instructies opdracht* инструкц* указани* правила команд* інструкц* instruksi perintah aturan arahan hướng dẫn lệnh talimat* yönerge* kurallar utos tagubilin panuto التعليمات تعليمات الأوامر أوامر القواعد निर्देश* आदेश नियम নির্দেশ* আদেশ 指令 指示 命令 提示词 规则 規則 ルール 지시 명령 지침 คำสั่ง',
  model:
    'assistant* ai chatgpt gpt* llm* chatbot* bot claude gemini copilot openai anthropic agent agents model models llama asistente assistente assistent* ассистент* помощник asisten asistan yapay المساعد सहायक সহকারী 助手 人工智能 人工知能 アシスタント 어시스턴트 모델',
  answer:
    'answer answers reply replies response responses respond output outputs responding summary antwort* respuesta* respond* réponse* réponds resposta* risposta* odpowied* antwoord ответ* відповід* jawaban trả lời cevap* yanıt* sagot إجابة رد उत्तर जवाब উত্তর 回答 回复 答案 答え 대답 응답',
  say: 'say state claim mention mentions write respond reply tell inform include append insert add incorporate integrate embed begin end conclude finish start repeat echo print schreib* sage sag nenne erwähne erwähnen di diga escribe indica declara incluye dis dites écris écrivez mentionne* affirme* indique* diga escreva afirme dichiara scrivi afferma napisz powiedz напиши скажи заяви укажи sebutkan katakan nyatakan viết nói tuyên söyle yaz belirt sabihin isulat قل اكتب اذكر कहें कहो लिखें बताएं बताओ বলুন লিখুন 声明 说 写 述べ 言 주장 말하 작성',
  act: 'بفرست שלח שלחי στείλε skicka ส่ง 보내세요 надішли подай send forward email e-mail mail delete remove transfer upload post download fetch visit open click click browse execute run invoke call buy purchase pay book invite share grant approve merge deploy install subscribe unlock disable enable create make schick* sende weiterleit* lösche überweis* führe envía envia manda reenvía borra elimina ejecuta transfiere envoie envoyez transfère supprime exécute* envie encaminhe apague execute invia inoltra cancella esegui wyślij usuń wykonaj stuur verwijder voer отправь перешли удали выполни kirim hapus jalankan gửi xóa chạy gönder sil çalıştır ipadala burahin أرسل احذف نفذ حول भेजें भेजो हटाएं চালান পাঠান 发送 转发 删除 执行 运行 送信 削除 実行 보내 전송 삭제 실행',
  reveal:
    'reveal* disclose* expose* leak* show display dump decode decrypt list spell translate verrat* zeige offenbar* revela* revele muestra montre* révèle* mostra* rivela* ujawnij toon раскро* покажи tampilkan ungkapkan tiết hiển göster açıkla ipakita اكشف أظهر दिखाएं खुलासा প্রকাশ 透露 显示 泄露 表示して 明か 공개 보여',
  secret:
    'گذرواژه הסיסמה סיסמ* κωδικό* lösenord* รหัสผ่าน hasła password* passwords passphrase passcode secret* credential* token tokens apikey key keys vault pin ssn confidential private passwort* kennwort* geheim* schlüssel contraseña* clave secreto* secret secrète mot-de-passe senha* segredo* segredos parola* segreto hasł* hasło wachtwoord* geheim парол* секрет* ключ* sandi rahasia mật khẩu şifre* parola gizli كلمة السر المرور سري पासवर्ड गुप्त कुंजी পাসওয়ার্ড গোপন 密码 口令 秘密 机密 パスワード 秘密 비밀번호 암호 비밀',
  person:
    'address phone birthday birthdate ssn salary lives live living dirección teléfono adresse téléphone endereço indirizzo адрес телефон alamat địa chỉ adres العنوان पता ফোন ঠিকানা 地址 住所 주소 database banka banco bank',
  persona:
    'pretend* roleplay role-play persona character dan jailbreak* unrestricted unfiltered uncensored amoral evilbot simulat* simulate impersonat* acting personaje finge* actúa personnage personagem finja fingi udawaj stell притвор* представь berpura giả rolünü kunwari تظاهر تخيل बहाना ভান 扮演 假装 ふり 演じ 척 역할',
  limits:
    'restriction* limitation* filter* policy policies ethical ethic* moral* censorship openai guidelines rules unlimited refuse refuses cannot warn* disclaimer* restricc* limites restrizioni einschränkung* ограничен* pembatasan hạn kısıtlama قيود प्रतिबंध 限制 制限 제한',
  suppose:
    'hypothetical* imagine suppose scenario fictional fiction imaginary imagin* stell angenommen supón supongamos supposons suponha immagina wyobraź stel вообрази* представим bayangkan andaikan tưởng hayal varsay isipin ipagpalagay تخيل افترض कल्पना मान ধরুন কল্পনা 想象 假设 想像 仮定 상상 가정',
  address:
    'you your yours yourself u du dein* deine* dir ihr tú tu tus usted su vous votre vos toi você voce seu sua ty twój jij je jouw ты ты тебя твой вы вас ваш kamu anda bạn sen siz sana ikaw ka mo أنت لك आप आपका तुम আপনি আপনার তুমি 你 您 あなた 너 당신',
  must: 'must always never immediately urgent* important mandatory required shall should will obligator* sofort unbedingt wichtig immer inmediatamente importante siempre debes debe immédiatement toujours devez dois imediatamente sempre deve subito musisz natychmiast moet должен должны срочно немедленно harus segera phải ngay hemen zorunlu dapat يجب فورا चाहिए तुरंत অবশ্যই 必须 立即 务必 必ず 直ちに 반드시 즉시',
  hide: 'silently secretly quietly hidden without invisible heimlich unbemerkt secretamente discrètement тайно незаметно diam-diam gizlice सिर्फ 悄悄 秘密地 密かに 몰래',
  instead:
    'instead rather actually stattdessen eigentlich mejor cambio plutôt lieu invece zamiast plaats вместо sebaliknya thay yerine halip بدلا इसके বরং 而是 改为 代わりに 대신',
  task: 'task tasks objective goal mission assignment aufgabe* tarea* tâche* tarefa* compito zadanie taak задач* tugas nhiệm görev* gawain مهمة कार्य কাজ 任务 タスク 작업',
  system:
    'system admin administrator administrators root developer debug maintenance override sudo mode privileg* sistema système sistem систем* hệ النظام सिस्टम সিস্টেম 系统 系統 システム 시스템',
  code: 'subprocess popen exec eval os.system shell curl wget chmod rm import socket ssh keylog* pynput screenshot pyautogui pyscreeze cryptography fernet requests nmap exploit payload',
  encode:
    'base64 rot13 caesar cipher morse encode encoded decode encrypt reverse reversed backwards emoji emojis acrostic ascii hex binary interlace encripta codific* chiffre* umgekehrt inverso inverse inversa обратном terbalik ngược ters baligtad عكسي उल्टे বিপরীত 倒序 反转 逆順 거꾸로',
  receive: 'attacker evil exfil* victim hacker malicious compromised ransom* phishing',
};

/** Words in a row, as an injection says them. */
export const PHRASES: Readonly<Record<string, string>> = {
  from_now:
    'from now on|starting now|you are now|you will now|act as|acting as|you are going to|a partir de ahora|ab jetzt|ab sofort|à partir de maintenant|da ora in poi|a partir de agora|od teraz|с этого момента|mulai sekarang|bundan sonra|từ bây giờ',
  system_prompt:
    'system prompt|system message|initial prompt|hidden instructions|previous conversation|conversation history|your instructions|your rules|your guidelines|developer mode|system mode|debug mode|maintenance mode|admin mode',
  hide: 'do not mention|don’t mention|don t mention|do not tell|don t tell|no need to mention|without telling|without informing|do not inform|do not reveal this|never mention|keep this secret|do not notify|don t notify',
  your_answer:
    'your answer|your reply|your response|your output|your summary|your code|your solution|your result|your final|in your|to your|as your|your next|your text|your message|your description|your explanation|you respond|you reply|you answer',
  before_task:
    'before you|before solving|after you|when you have|once you have|original task|the task|this task|my instructions|new instructions|new task|next task|following instructions|do the following|the following instead|follow these|follow this|follow it|obey it',
  character:
    'stay in character|break character|in character|no matter what|do anything|anything now|as an ai|as a language|language model|ai model|ai assistant|ai assistants|ai agent|ai agents',
  important:
    'important message|urgent message|important instruction|important instructions|attention ai|note to|message to|message from|policy update|security update|as the admin|i am the|i m the|i am your|i m your|i am actually|i m actually|as your administrator|i am a|i m a',
  code_use: 'following code|code below|code snippet|below code|code block|this code|snippet below|below snippet',
};

/** Words that a bidding begins with, in English: the form of the verb that orders. */
export const VERBS =
  'add adopt adjust alter analyze answer append apply arrange ask assume augment base blend book bring build buy calculate call can change check choose classify click combine compile complete compose concatenate conclude confirm consider construct convert copy correct could create decode decrypt define delete deliver deploy describe design detail determine develop disable disclose discuss display do download draft edit embed employ encode encrypt end enhance ensure enter evaluate execute explain expose extend extract fetch fill find finish follow forget format forward fulfil generate get give grant guide handle help identify ignore imagine implement include incorporate inform initiate inject insert install integrate interpret introduce invite invoke join kindly leave let link list locate log make map mention merge modify move name navigate notify obey offer open order organize outline output paraphrase pay perform phrase pick place please post predict prepare present pretend print proceed produce promote propose provide publish pull purchase push put rank rate read recommend record redirect refer remember remove rename render repeat rephrase replace reply report request research reserve reset respond respond retrieve return reveal reverse review revise rewrite run save say schedule search select send set share show simulate solve spread start state stop store submit substitute suggest summarize supply suppose switch take tell test think transfer transform translate try type uncover update upgrade upload use utilize verify view visit weave what which who why would write you your';
