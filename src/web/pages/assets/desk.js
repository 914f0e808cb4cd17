// Every page of the desk works without this. What was wrong is read out first.
document.getElementById('summary')?.focus();

// A page from the browser's own store may be out of date.
addEventListener('pageshow', (event) => { if (event.persisted) location.reload(); });

// A text can come from a file: it is put into the field, where it can be read before it is sent.
for (const file of document.querySelectorAll('input[type=file][data-into]')) {
  file.hidden = false;
  file.addEventListener('change', async () => {
    const into = document.getElementById(file.dataset.into);
    if (file.files[0]) into.value = await file.files[0].text();
  });
}
